from __future__ import annotations

import pytest

from relaykit.testing.anthropic_stub import running_stub


@pytest.fixture(scope="session")
def stub():
    with running_stub() as stub:
        yield stub
