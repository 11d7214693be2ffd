"""What is driven: Codex and Claude Code, each with its scripted model, its raw driver and its SDK."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractAsyncContextManager, AbstractContextManager
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from bench.raw_claude import equipped_claude, raw_claude
from bench.raw_codex import raw_codex
from relaykit.testing import anthropic_stub, openai_stub
from relaykit.testing.claude_home import claude_binary, claude_home
from relaykit.testing.codex_home import codex_binary, codex_home
from relaykit.testing.stub_server import Stub

HERE = Path(__file__).parent


@dataclass(frozen=True, slots=True, kw_only=True)
class Subject:
    """An agent's program, and all ways to drive it."""

    provider: str
    title: str
    stub: Callable[..., AbstractContextManager[Stub]]
    home: Callable[[str], AbstractContextManager[Path]]
    binary: Callable[[], str]
    home_option: str
    raw: Callable[[str, Path, str], AbstractAsyncContextManager[Any]]
    raw_module: str
    equipped: Callable[[int, str], AbstractAsyncContextManager[Any]] | None = None
    """The raw driver of one that is started as that of the relay was, by its process id, where what it is given costs."""
    sdk: str
    sdk_package: str
    sdk_file: Path
    turn_aim: float
    """Milliseconds that a turn through the relay may take more than a raw one."""
    first_aim: float
    """Share of the SDK's time from process start to first finished turn."""

    def options(self, home: Path) -> dict[str, str]:
        """Return a provider's options that drive the program of the benchmark."""
        return {"command": self.binary(), self.home_option: str(home)}

    @property
    def has_sdk(self) -> bool:
        """Whether its SDK is installed."""
        return find_spec(self.sdk_package) is not None


CODEX = Subject(
    provider="codex",
    title="Codex",
    stub=openai_stub.running_stub,
    home=codex_home,
    binary=codex_binary,
    home_option="codex_home",
    raw=raw_codex,
    raw_module="bench.raw_codex",
    sdk="openai-codex SDK",
    sdk_package="openai_codex",
    sdk_file=HERE / "sdk_codex.py",
    turn_aim=5,
    first_aim=0.7,
)
CLAUDE = Subject(
    provider="claude",
    title="Claude",
    stub=anthropic_stub.running_stub,
    home=claude_home,
    binary=claude_binary,
    home_option="config_dir",
    raw=raw_claude,
    raw_module="bench.raw_claude",
    equipped=equipped_claude,
    sdk="claude-agent-sdk",
    sdk_package="claude_agent_sdk",
    sdk_file=HERE / "sdk_claude.py",
    turn_aim=3,
    first_aim=0.6,
)
SUBJECTS = (CODEX, CLAUDE)
