"""From the start of a process to its first finished turn of codex: a raw driver, the relay, the SDK, in turn."""

from __future__ import annotations

import sys
import tempfile
import time
from importlib.util import find_spec
from pathlib import Path

from bench.figures import Figure
from bench.world import (
    RELAYKIT,
    codex_options,
    environment,
    milliseconds,
    put,
    replied,
    running,
    temporary_home,
    watched_door,
)
from relaykit.model import Agent
from relaykit.testing.codex_home import codex_binary, codex_home
from relaykit.testing.openai_stub import running_stub

ROUNDS = 7
SDK = "openai_codex"
HERE = Path(__file__).parent


def measure() -> list[Figure]:
    raw, relay, sdk = [], [], []
    with running_stub(child=True) as stub, codex_home(stub.base_url) as home:
        for _ in range(ROUNDS + 1):
            raw.append(_driver([sys.executable, "-m", "bench.raw_codex", "--first"], home))
            relay.append(_relay(home))
            if find_spec(SDK):
                sdk.append(_driver([sys.executable, str(HERE / "sdk_codex.py")], home))
    return [_figure(milliseconds(raw[1:]), milliseconds(relay[1:]), milliseconds(sdk[1:]) if sdk else None)]


def _figure(raw: float, relay: float, sdk: float | None) -> Figure:
    what = "from process start to the first finished Codex turn"
    if sdk is None:
        note = f"raw driver {raw:.0f} ms; openai-codex is not installed"
        return Figure(part="first turn", what=what, value=relay, unit="ms", note=note)
    note = f"{relay:.0f} ms; SDK {sdk:.0f} ms, raw driver {raw:.0f} ms"
    return Figure(part="first turn", what=what, value=relay / sdk, unit="of the openai-codex SDK", aim=0.7, note=note)


def _driver(argv: list[str], home: Path) -> float:
    with (
        tempfile.TemporaryDirectory() as cwd,
        running([*argv, codex_binary(), str(home), cwd], environment(cwd), cwd=HERE.parent) as driver,
    ):
        return driver.seconds


def _relay(home_of_codex: Path) -> float:
    """Start a relay for an agent that has mail; the reply is seen by another process, this one."""
    options = [f"--option={name}={value}" for name, value in codex_options(home_of_codex).items()]
    argv = [RELAYKIT, "run", "--provider", "codex", *options]
    with temporary_home(Agent(id="codex", provider="codex", cwd="/")) as home, watched_door(home) as (door, watch):
        message = put(door, "codex", "say:hello")
        begun = time.perf_counter()
        with running(argv, environment(home), cwd=home):
            replied(door, watch, message)
            return time.perf_counter() - begun
