"""Conformance suites, fakes and model stubs: what relaykit is tested with, for plugin authors too."""
