"""The suite of providers, over the real claude."""

from __future__ import annotations

import pytest

from relaykit.testing.claude_home import claude_home, claude_options
from relaykit.testing.provider import ProviderSuite

pytestmark = pytest.mark.live
KEY = "sk-conformance-0123456789"


@pytest.fixture
def anyio_backend():
    return "asyncio"


@pytest.mark.parity("AR-1")
class TestClaude(ProviderSuite):
    plugin = "relaykit_claude"
    provider = "claude"
    bad_options = {"permission_mode": "bypassPermissions"}  # noqa: RUF012 - as the suite has it
    text = "say:hello"
    long_text = "gate:nobody-opens:a text that never ends"
    asking_text = "exec:touch made;;say:done"
    unread_turns = 20

    @pytest.fixture
    def opening_options(self, stub):
        with claude_home(stub.base_url) as home:
            yield claude_options(home)


class TestClaudeWithACredential(TestClaude):
    secrets = {"key": KEY}  # noqa: RUF012 - as the suite has it

    @pytest.fixture
    def opening_options(self, stub):
        with claude_home(stub.base_url, env={"ANTHROPIC_API_KEY": ""}) as home:
            yield {**claude_options(home), "credential": "key"}
