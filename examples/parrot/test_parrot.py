from relaykit.testing import ProviderSuite


class TestParrot(ProviderSuite):
    plugin = "relaykit_parrot"
    provider = "parrot"
    bad_options = {"delay": -1}
    long_options = {"delay": 3600}
