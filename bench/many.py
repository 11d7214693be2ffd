"""Ten agents on Claude Code at once: turns per second beside raw drivers, and the relay's memory beside one SDK's."""

from __future__ import annotations

import json
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import AsyncExitStack, contextmanager
from pathlib import Path

import anyio

from bench.figures import Figure
from bench.raw_claude import RawClaude
from bench.subjects import CLAUDE
from bench.world import RELAYKIT, environment, put, replied, resident_mib, running, temporary_home, watched_door
from relaykit.mailbox.door import Door, DoorWatch

AGENTS, TURNS, ROUNDS = 10, 10, 3
"""Turns of each agent, in each round; rounds of either alternate."""
TEXT = "say:hello"
SESSION_MIB = 1
"""What a session may cost the relay."""


def measure() -> list[Figure]:
    with CLAUDE.stub(child=True) as stub, CLAUDE.home(stub.base_url) as home:
        sdk = sdk_mib(home)
        with _relay(home) as relay:
            return anyio.run(_measured, home, relay, sdk)


async def _measured(home: Path, relay: tuple[int, Door, DoorWatch], sdk: float | None) -> list[Figure]:
    pid, door, watch = relay
    async with AsyncExitStack() as stack:
        cwd = stack.enter_context(tempfile.TemporaryDirectory())
        raw = [await stack.enter_async_context(CLAUDE.raw(CLAUDE.binary(), home, cwd)) for _ in range(AGENTS)]
        _through_relay(door, watch, 1)
        took: dict[str, float] = {"raw": 0.0, "relay": 0.0}
        for _ in range(ROUNDS):
            took["raw"] += await _raw(raw)
            took["relay"] += _through_relay(door, watch, TURNS)
        resident = resident_mib(pid)
    return [_rate(took), _memory(resident, sdk)]


def _rate(took: dict[str, float]) -> Figure:
    turns = AGENTS * TURNS * ROUNDS
    return Figure(
        part="many",
        what=f"turns per second of {AGENTS} Claude agents at once, relay in its own process",
        value=took["raw"] / took["relay"],
        unit="of the raw drivers'",
        aim=0.95,
        least=True,
        note=f"{turns / took['relay']:.1f} per second, raw drivers {turns / took['raw']:.1f}",
    )


def _memory(resident: float, sdk: float | None) -> Figure:
    allowed = None if sdk is None else sdk + AGENTS * SESSION_MIB
    note = "claude-agent-sdk is not installed" if sdk is None else f"one claude-agent-sdk process {sdk:.1f} MiB"
    return Figure(
        part="many",
        what=f"memory of a relay with {AGENTS} Claude agents",
        value=resident,
        unit="MiB",
        aim=allowed,
        note=note,
    )


async def _raw(drivers: Sequence[RawClaude]) -> float:
    async def turns(driver: RawClaude) -> None:
        for _ in range(TURNS):
            await driver.turn(TEXT)

    begun = time.perf_counter()
    async with anyio.create_task_group() as tasks:
        for driver in drivers:
            tasks.start_soon(turns, driver, name="raw driver")
    return time.perf_counter() - begun


def _through_relay(door: Door, watch: DoorWatch, turns: int) -> float:
    begun = time.perf_counter()
    sent = [put(door, f"agent-{number}", TEXT) for _ in range(turns) for number in range(AGENTS)]
    for message in sent:
        replied(door, watch, message)
    return time.perf_counter() - begun


@contextmanager
def _relay(home_of_agents: Path) -> Iterator[tuple[int, Door, DoorWatch]]:
    with temporary_home() as home, tempfile.TemporaryDirectory() as cwd:
        place = Path(cwd, "relaykit.toml")
        options = CLAUDE.options(home_of_agents)
        said = "\n".join(f"{name} = {json.dumps(value)}" for name, value in options.items())
        agent = '[agents.agent-{0}]\nprovider = "claude"\n[agents.agent-{0}.options]\n' + said + "\n"
        place.write_text("".join(agent.format(number) for number in range(AGENTS)), encoding="utf-8")
        with (
            running([RELAYKIT, "run", "--config", str(place)], environment(home), cwd=Path(cwd)) as relay,
            watched_door(home) as (door, watch),
        ):
            yield relay.process.pid, door, watch


def sdk_mib(home_of_agent: Path) -> float | None:
    """Return the memory of an SDK's process with one session after its first turn, if the SDK is installed."""
    if not CLAUDE.has_sdk:
        return None
    argv = [sys.executable, str(CLAUDE.sdk_file), CLAUDE.binary(), str(home_of_agent)]
    with tempfile.TemporaryDirectory() as cwd, running([*argv, cwd], environment(cwd)) as peer:
        return resident_mib(peer.process.pid)
