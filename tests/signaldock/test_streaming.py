"""What comes in by the stream, and across every change between it and polling."""

from __future__ import annotations

import json
import logging

import pytest

from relaykit.errors import RefusedError
from relaykit.testing.dock import Trouble, error

pytestmark = pytest.mark.anyio
QUIET = {"heartbeat_seconds": 0}


def peeks(dock) -> int:
    return len(dock.said("GET /messages/peek"))


async def streaming(bench) -> None:
    """Return once a stream is open, and the look that follows it is over."""
    await bench.dock.until(lambda: bench.dock.open_streams == 1 and peeks(bench.dock) >= 1)
    await bench.clock.advance(0)


def server_shape(row):
    return {
        "messageId": row["id"],
        "conversationId": row["conversationId"],
        "from": row["fromAgentId"],
        "content": row["content"],
        "contentType": "text",
        "createdAt": row["createdAt"],
        "attachments": [],
    }


def rest_shape(row):
    return row


def snake_shape(row):
    return {
        "id": row["id"],
        "from_agent_id": row["fromAgentId"],
        "conversation_id": row["conversationId"],
        "content": row["content"],
        "created_at": row["createdAt"],
    }


@pytest.mark.parity("CR-7")
async def test_a_message_comes_through_the_stream_at_once_and_is_acknowledged(bench):
    async with bench.open(**QUIET):
        await streaming(bench)
        looked = peeks(bench.dock)
        bench.dock.tell("hello")
        await bench.dock.until(lambda: "m1" in bench.dock.acked)
        assert peeks(bench.dock) == looked
    assert bench.bodies == ["hello"]


@pytest.mark.parity("CR-7", "CR-10")
@pytest.mark.parametrize("payload", [server_shape, rest_shape, snake_shape])
async def test_every_shape_of_the_payload_is_read(bench, payload):
    bench.dock.payload = payload
    async with bench.open(**QUIET):
        await streaming(bench)
        bench.dock.tell("hello")
        await bench.dock.until(lambda: "m1" in bench.dock.acked)
    [draft] = bench.intake.drafts
    assert (draft.id, draft.sender, draft.body, draft.thread) == ("m1", "alice@dock", "hello", "dock/c-alice")


@pytest.mark.parity("CR-7")
@pytest.mark.parametrize(
    "frame", [b'data: {"content": "hello"}\n\n', b"data: garbage\n\n", b"data: []\n\n", b"data\n\n"]
)
async def test_a_frame_that_tells_too_little_has_the_message_fetched(bench, frame):
    async with bench.open(**QUIET):
        await streaming(bench)
        bench.dock.tell("hello", stream=False)
        bench.dock.raw(frame)
        await bench.dock.until(lambda: "m1" in bench.dock.acked)
    assert bench.bodies == ["hello"]


@pytest.mark.parity("CR-4", "CR-7")
@pytest.mark.parametrize("streamed", [True, False])
async def test_what_the_mailbox_refused_is_tried_again_in_a_second_while_the_stream_is_open(bench, streamed):
    bench.intake.refusal = RefusedError("there is no agent worker yet")
    if not streamed:
        bench.dock.tell("hello", stream=False)
    async with bench.open(**QUIET):
        await streaming(bench)
        if streamed:
            bench.dock.tell("hello")
        await bench.dock.until(lambda: any("not taken in" in line for line in bench.reports))
        await bench.clock.advance(0)
        bench.intake.refusal = None
        await bench.clock.advance(1)
        await bench.dock.until(lambda: "m1" in bench.dock.acked)
    assert bench.bodies == ["hello"]


async def test_signs_of_life_have_nothing_fetched(bench):
    async with bench.open(**QUIET):
        await streaming(bench)
        looked = peeks(bench.dock)
        bench.dock.raw(b'event: heartbeat\ndata: {"timestamp": 1}\n\ndata: {"type": "ping"}\n\n: hello\n\n')
        bench.dock.tell("hello")
        await bench.dock.until(lambda: "m1" in bench.dock.acked)
        assert peeks(bench.dock) == looked


@pytest.mark.parity("CR-4", "CR-7")
async def test_what_comes_both_ways_and_again_and_in_disorder_comes_in_once(bench):
    async with bench.open(**QUIET, safety_seconds=1):
        await streaming(bench)
        bench.dock.forgets_acks = True
        rows = [bench.dock.tell(f"number {number}", stream=False) for number in range(1, 21)]
        for row in (*reversed(rows), *rows, *reversed(rows)):
            bench.dock.frame(row)
        await bench.clock.advance(1)
        await bench.arrived(20)
        await bench.clock.advance(1)
    assert sorted(bench.bodies) == sorted(row["content"] for row in rows)


@pytest.mark.parity("CR-7")
async def test_polling_slows_down_while_the_stream_is_open_and_speeds_up_at_once_when_it_is_lost(bench):
    async with bench.open(**QUIET):
        await streaming(bench)
        looked = peeks(bench.dock)
        for _ in range(59):
            await bench.clock.advance(1)
        assert peeks(bench.dock) == looked
        bench.dock.on("GET /messages/stream", *[Trouble.DROP] * 100)
        bench.dock.tell("lost on the way", stream=False)
        bench.dock.cut_streams()
        await bench.dock.until(lambda: "m1" in bench.dock.acked)  # without any time
        for number in range(2, 5):
            bench.dock.tell("by polling", stream=False)
            await bench.clock.advance(5)
            await bench.dock.until(lambda number=number: f"m{number}" in bench.dock.acked)


@pytest.mark.parity("CR-7")
async def test_the_stream_is_opened_again_for_ever_with_growing_pauses(bench):
    bench.dock.on("GET /messages/stream", *[error(503)] * 40)
    async with bench.open(**QUIET):
        for count in range(1, 41):
            await bench.dock.until(lambda count=count: len(bench.dock.said("GET /messages/stream")) == count)
            await bench.clock.advance(0.4 if count == 1 else 0)
            assert len(bench.dock.said("GET /messages/stream")) == count
            await bench.clock.advance(30)
        await bench.dock.until(lambda: bench.dock.open_streams == 1)
        bench.dock.tell("hello")
        await bench.arrived(1)


@pytest.mark.parity("CR-4", "CR-7")
async def test_nothing_is_lost_or_doubled_while_the_stream_comes_and_goes(bench):
    async with bench.open(**QUIET):
        for round_ in range(12):
            await bench.dock.until(lambda: bench.dock.open_streams == 1)
            for number in range(3):
                bench.dock.tell(f"{round_}.{number}")
            if round_ % 3 == 0:
                bench.dock.raw(b"data: {half a fra")
            bench.dock.cut_streams()
            bench.dock.tell(f"{round_}.meanwhile")
            await bench.clock.advance(30)
        await bench.dock.until(lambda: len(bench.dock.acked) == 48)
    assert sorted(bench.bodies) == sorted(row["content"] for row in bench.dock.rows)


@pytest.mark.parity("CR-7")
async def test_what_came_before_the_stream_was_open_again_is_looked_for_when_it_is(bench):
    bench.dock.on("GET /messages/stream", error(503))
    async with bench.open(**QUIET, poll_seconds=3600):
        await bench.dock.until(lambda: peeks(bench.dock) == 1 and bool(bench.dock.said("GET /messages/stream")))
        await bench.clock.advance(0)
        bench.dock.tell("meanwhile", stream=False)
        await bench.clock.advance(1)
        await bench.dock.until(lambda: "m1" in bench.dock.acked)


async def test_it_says_how_far_it_has_read_when_it_comes_back(bench):
    async with bench.open(**QUIET):
        await streaming(bench)
        bench.dock.tell("hello")
        await bench.arrived(1)
        bench.dock.cut_streams()
        await bench.clock.advance(30)
        await bench.dock.until(lambda: len(bench.dock.said("GET /messages/stream")) == 2)
    first, second = bench.dock.said("GET /messages/stream")
    assert ("last-event-id" in first.headers, second.headers["last-event-id"]) == (False, "m1")


@pytest.mark.parity("CR-2")
@pytest.mark.parametrize(("mode", "told"), [("auto", 0), ("sse", 1)])
async def test_a_server_without_a_stream_is_polled(bench, mode, told):
    bench.dock.has_stream = False
    async with bench.open(**QUIET, mode=mode):
        await bench.dock.until(lambda: bool(bench.dock.said("GET /messages/stream")))
        for number in range(1, 4):
            bench.dock.tell("hello", stream=False)
            await bench.clock.advance(5)
            await bench.dock.until(lambda number=number: f"m{number}" in bench.dock.acked)
        assert len(bench.dock.said("GET /messages/stream")) == 1
        await bench.clock.advance(300)
        await bench.dock.until(lambda: len(bench.dock.said("GET /messages/stream")) == 2)
    assert len([line for line in bench.reports if "there is no stream" in line]) == told


async def test_a_line_without_end_is_a_stream_that_broke(bench):
    async with bench.open(**QUIET):
        await streaming(bench)
        for _ in range(9):
            bench.dock.raw(b"x" * 2**20)
        await bench.dock.until(lambda: bench.dock.open_streams == 0)
        await bench.clock.advance(30)
        await bench.dock.until(lambda: bench.dock.open_streams == 1)
    assert any("a line of the stream has more than" in line for line in bench.reports)


async def test_what_a_group_says_is_fetched_where_its_copies_can_be_told(bench):
    async with bench.open(**QUIET, groups=["g1"]):
        await streaming(bench)
        bench.dock.tell("@bob hello", conversationId="g1", groupId="f1", id="copy")
        await bench.arrived(1)
    assert bench.intake.drafts[0].id == "f1"


@pytest.mark.parity("CR-10")
async def test_the_stream_signs_in_by_headers_and_where_it_is_wanted_by_the_address_which_no_log_shows(bench, caplog):
    caplog.set_level(logging.DEBUG)
    async with bench.open(**QUIET):
        await streaming(bench)
    async with bench.open(**QUIET, stream_auth="query"):
        await streaming(bench)
        bench.dock.tell("hello")
        await bench.arrived(1)
    headers, query = bench.dock.said("GET /messages/stream")
    assert (headers.headers["authorization"], headers.headers["x-agent-id"]) == ("Bearer sk_live_bob", "bob")
    assert headers.query == {}
    assert "authorization" not in query.headers
    assert query.query == {"token": "sk_live_bob", "agent_id": "bob"}
    assert "/messages/stream" in caplog.text
    assert "sk_live" not in caplog.text


async def test_a_union_is_what_the_scripted_server_sends(bench):
    row = bench.dock.tell("hello")
    union = bench.dock.payload(row)
    for name in ("messageId", "fromAgentId", "from_agent_id", "from", "conversation_id", "threadId", "created_at"):
        assert name in union
    json.dumps(union)
