"""The suite of providers, over the real codex."""

from __future__ import annotations

import pytest

from relaykit.testing.codex_home import codex_binary, codex_home
from relaykit.testing.provider import ProviderSuite

pytestmark = pytest.mark.live
KEY = "sk-conformance-0123456789"


@pytest.fixture
def anyio_backend():
    return "asyncio"


@pytest.mark.parity("AR-1")
class TestCodex(ProviderSuite):
    plugin = "relaykit_codex"
    provider = "codex"
    bad_options = {"sandbox": "danger-full-access"}  # noqa: RUF012 - as the suite has it
    text = "say:hello"
    long_text = "gate:nobody-opens:a text that never ends"
    asking_text = "esc:touch made;;say:done"
    unread_turns = 20

    @pytest.fixture
    def opening_options(self, stub):
        with codex_home(stub.base_url) as home:
            yield {"command": codex_binary(), "codex_home": str(home)}


class TestCodexWithACredential(TestCodex):
    secrets = {"key": KEY}  # noqa: RUF012 - as the suite has it

    @pytest.fixture
    def opening_options(self, stub):
        with codex_home(stub.base_url) as home:
            config = f'model = "gpt-5.5"\nopenai_base_url = "{stub.base_url}"\ncheck_for_update_on_startup = false\n'
            (home / "config.toml").write_text(config, encoding="utf-8")
            yield {"command": codex_binary(), "codex_home": str(home), "credential": "key"}


class TestCodexOnASocket(TestCodex):
    @pytest.fixture
    def opening_options(self, stub):
        with codex_home(stub.base_url) as home:
            yield {"command": codex_binary(), "codex_home": str(home), "connect": "socket"}
