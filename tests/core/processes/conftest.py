from __future__ import annotations

import pytest

from relaykit.relay.children.processes import RelayProcesses
from relaykit.relay.clock import SystemClock


@pytest.fixture
def boot():
    return SystemClock().boot_id()


@pytest.fixture
def directory(tmp_path):
    return tmp_path / "run" / "agent"


@pytest.fixture
def processes(directory, boot):
    return RelayProcesses(directory, boot)
