"""What holds for all tests."""

from __future__ import annotations

import signal

import pytest
from hypothesis import settings

# Time is bounded for the whole run; a deadline for each example only says how busy the machine is.
settings.register_profile("relaykit", deadline=None)
settings.load_profile("relaykit")

FAULTS = "tests/faults/"


def pytest_configure():
    """Have the programs under test hear signals that a shell, or nohup, has a job in the background ignore."""
    signal.signal(signal.SIGINT, signal.default_int_handler)
    signal.signal(signal.SIGHUP, signal.SIG_DFL)


def pytest_collection_modifyitems(items):
    """Begin with the tests that kill: they take longest."""
    items.sort(key=lambda item: not item.nodeid.startswith(FAULTS))


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config, log):
    """Share tests out to processes by file. Those that kill are counted, so they stay together."""
    from xdist.scheduler import LoadScopeScheduling  # noqa: PLC0415 - only where it is installed and asked for

    class ByFile(LoadScopeScheduling):
        def _split_scope(self, nodeid):
            return FAULTS if nodeid.startswith(FAULTS) else nodeid.partition("::")[0]

    return ByFile(config, log)
