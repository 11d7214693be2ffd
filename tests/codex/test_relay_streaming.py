"""Events of the real codex inside an application: streamed, and never held up by who does not read them."""

from __future__ import annotations

import time

import anyio
import pytest

import relaykit.relay
from relaykit.model import BlockDelta, BlockEnded, BlockKind, BlockStarted, Event, Gap, TurnEnded

pytestmark = [pytest.mark.anyio, pytest.mark.live, pytest.mark.parity("SR-11", "N-9")]


@pytest.fixture
def anyio_backend():
    return "asyncio"


async def until_turn_ended(subscription, heard):
    """Hear all there is until a turn has ended; return the turn's end."""
    with anyio.fail_after(30):
        async for item in subscription:
            heard.append(item)
            if isinstance(item, Event) and isinstance(item.what, TurnEnded):
                return item.what
    raise AssertionError("the stream ended before the turn")


async def turn(relay, text):
    """Have a turn, and return the seconds that it took."""
    began = time.monotonic()
    accepted = await relay.send("main", text)
    await relay.wait(accepted.message.id, seconds=60)
    return time.monotonic() - began


async def test_a_text_is_told_by_its_start_its_pieces_and_its_end(house):
    config = house.config(house.program.home, "main")
    heard = []
    async with relaykit.relay.open(config) as relay, relay.subscribe(agent="main") as events:
        await relay.ready("main")
        await relay.send("main", "say:one two three four five")
        ended = await until_turn_ended(events, heard)
    kinds = BlockStarted | BlockDelta | BlockEnded
    told = [event for event in heard if isinstance(event.what, kinds)]
    started = next(event for event in told if isinstance(event.what, BlockStarted))
    assert started.what.block.kind is BlockKind.ASSISTANT_TEXT
    pieces = [event for event in told if isinstance(event.what, BlockDelta)]
    assert [(piece.number, piece.part) for piece in pieces] == [
        (started.number, part) for part in range(1, len(pieces) + 1)
    ]
    assert len(pieces) > 1
    whole = "one two three four five"
    assert "".join(piece.what.text for piece in pieces) == told[-1].what.block.text == ended.text == whole
    numbers = [event.number for event in heard if event.part == 0]
    assert numbers == list(range(numbers[0], numbers[0] + len(numbers)))


async def test_a_subscriber_that_reads_nothing_costs_a_turn_nothing_and_is_told_the_whole_text_later(house):
    config = house.config(house.program.home, "main")
    whole = " ".join(["words"] * 3000)
    text = f"pieces:3000:{whole}"
    async with relaykit.relay.open(config) as relay:
        await relay.ready("main")
        await turn(relay, text)
        alone = await turn(relay, text)
        heard = []
        async with relay.subscribe(agent="main") as stalled:
            beside = await turn(relay, text)
            ended = await until_turn_ended(stalled, heard)
    assert beside < 2 * alone + 1
    assert ended.text == whole
    assert len(heard) < 1100, "what waited was merged"


async def test_a_subscriber_that_missed_events_is_told_of_the_gap_and_reads_them_from_its_cursor(house):
    config = house.config(house.program.home, "main")
    quick, slow, again = [], [], []
    async with relaykit.relay.open(config) as relay:
        await relay.ready("main")
        async with relay.subscribe(agent="main") as reading, relay.subscribe(agent="main") as stalled:
            for _ in range(4):
                await turn(relay, "say:" + "x" * 900_000)
                await until_turn_ended(reading, quick)
            await turn(relay, "say:the last")
            await until_turn_ended(reading, quick)
            while not (slow and isinstance(slow[-1], Event) and getattr(slow[-1].what, "text", "") == "the last"):
                await until_turn_ended(stalled, slow)
        gaps = [item for item in slow if isinstance(item, Gap)]
        assert gaps
        async with relay.subscribe(agent="main", after=gaps[0].after) as replay:
            while getattr(again[-1].what if again else None, "text", "") != "the last":
                await until_turn_ended(replay, again)
    every = {event.cursor: event.what for event in quick if event.cursor}
    missed = {cursor for gap in gaps for cursor in every if gap.after < cursor < gap.before}
    assert missed
    assert missed == every.keys() - {item.cursor for item in slow if isinstance(item, Event)}
    assert {event.cursor: event.what for event in again if event.cursor in missed} == {
        cursor: every[cursor] for cursor in missed
    }
    assert not [item for item in quick if isinstance(item, Gap)]
