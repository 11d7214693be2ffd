from __future__ import annotations

import json
import os
from pathlib import Path

import anyio
import pytest

from relaykit.model import BlockDelta, BlockEnded, BlockKind, BlockStarted, Mode, Outcome, TurnEnded, TurnStarted

pytestmark = [pytest.mark.anyio, pytest.mark.live, pytest.mark.parametrize("connect", ["stdio", "socket"])]


@pytest.fixture
def anyio_backend():
    return "asyncio"


async def running(seconds: float) -> None:
    with anyio.fail_after(10):
        while not sleeps(seconds):
            await anyio.lowlevel.checkpoint()


def sleeps(seconds: float) -> list[int]:
    """Return the processes that sleep for just that time: what runs in a sandbox has another number outside."""
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                words = (entry / "cmdline").read_bytes().split(b"\0")
            except OSError:
                continue
            if words[:2] == [b"sleep", str(seconds).encode()]:
                found.append(int(entry.name))
    return found


async def gone(seconds: float) -> None:
    with anyio.fail_after(10):
        while sleeps(seconds):
            await anyio.lowlevel.checkpoint()


@pytest.mark.parity("AR-18")
async def test_an_interrupt_ends_a_turn_that_writes_and_keeps_what_was_written(codex):
    async with codex.open() as talk:
        submission = await talk.send("gate:never-opened:a text that stops in the middle of it")
        delta = await talk.until(BlockDelta)
        await talk.session.interrupt()
        ended = await talk.until(TurnEnded)
        assert (ended.outcome, ended.submissions, ended.fault) == (Outcome.INTERRUPTED, (submission,), None)
        assert ended.text.startswith(delta.text)
        assert talk.blocks(BlockKind.ASSISTANT_TEXT)[0].data == {"status": "cut off"}
        assert (await talk.turn("say:next")).text == "next"


async def test_an_interrupt_kills_the_command_that_codex_would_leave_running(codex):
    seconds = 600 + os.getpid() / 1e7
    async with codex.open() as talk:
        await talk.send(f"exec:sleep {seconds};;say:never said")
        await running(seconds)
        await talk.session.interrupt()
        ended = await talk.until(TurnEnded)
        await gone(seconds)
        assert ended.outcome is Outcome.INTERRUPTED
        assert (await talk.turn("say:next")).text == "next"


async def test_a_command_that_an_interrupt_cuts_off_has_a_result_that_says_so(codex):
    async with codex.open() as talk:
        await talk.send("exec:for n in 1 2 3 4 5 6 7 8 9; do echo line $n; sleep 0.1; done; sleep 600;;say:never said")
        await talk.until(BlockStarted)
        await talk.session.interrupt()
        await talk.until(TurnEnded)
    (result,) = talk.blocks(BlockKind.TOOL_RESULT)
    assert result.data == {"status": "cut off"}
    assert "line" in result.text


async def test_an_interrupt_spares_what_an_earlier_turn_left_running_on_purpose(codex):
    kept, cut = 600 + os.getpid() / 1e7, 500 + os.getpid() / 1e7
    call = json.dumps({"cmd": f"sleep {kept}", "yield_time_ms": 250})
    async with codex.open() as talk:
        await talk.turn(f"tool:exec_command|{call};;say:it runs on")
        assert sleeps(kept)
        await talk.send(f"exec:sleep {cut};;say:never said")
        await running(cut)
        await talk.session.interrupt()
        await talk.until(TurnEnded)
        await gone(cut)
        await talk.turn("say:next")
        assert sleeps(kept)


async def test_a_turn_is_interrupted_the_moment_it_was_taken(codex):
    async with codex.open() as talk:
        submission = await talk.send("gate:never-opened:text")
        await talk.session.interrupt()
        ended = await talk.until(TurnEnded)
    assert (ended.outcome, ended.submissions) == (Outcome.INTERRUPTED, (submission,))


async def test_interrupting_twice_or_when_nothing_runs_does_nothing(codex):
    async with codex.open() as talk:
        with anyio.fail_after(5):
            await talk.session.interrupt()
            await talk.send("gate:never-opened:text")
            await talk.until(BlockDelta)
            await talk.session.interrupt()
            await talk.session.interrupt()
            await talk.until(TurnEnded)
            await talk.session.interrupt()
        assert (await talk.turn("say:next")).text == "next"


async def test_a_message_that_joined_an_interrupted_turn_ends_with_it(codex):
    async with codex.open() as talk:
        first = await talk.send("exec:sleep 600;;say:x")
        await talk.until(BlockEnded)
        second = await talk.send("say:joined", Mode.JOIN)
        await talk.session.interrupt()
        ended = await talk.until(TurnEnded)
    assert ended.submissions == (first, second)
    assert ended.outcome is Outcome.INTERRUPTED
    assert len(talk.all(TurnStarted)) == 1


async def test_leaving_a_session_ends_its_command(codex):
    seconds = 700 + os.getpid() / 1e7
    async with codex.open() as talk:
        await talk.send(f"exec:sleep {seconds};;say:never said")
        await running(seconds)
    await gone(seconds)
