"""What goes out: taken once, whatever breaks, or refused with the server's reason."""

from __future__ import annotations

import anyio
import anyio.lowlevel
import pytest
from msgspec.structs import replace

from relaykit.errors import TransportError, TransportRefusedError
from relaykit.server.guard import MAX_BODY
from relaykit.testing.contexts import make_message
from relaykit.testing.dock import Trouble, error
from relaykit_signaldock import client

pytestmark = pytest.mark.anyio
QUIET = {"heartbeat_seconds": 0, "mode": "http"}
ALICE = "alice@dock"


def contents(dock) -> list[str]:
    return [row["content"] for row in dock.posted]


@pytest.mark.parity("CR-10")
async def test_a_message_goes_to_an_agent_and_the_receipt_says_who_took_it(bench):
    async with bench.open(**QUIET) as transport:
        receipt = await transport.send(make_message("hello", to="al%20ice@dock"), "al%20ice@dock")
    [row] = bench.dock.posted
    assert (row["toAgentId"], row["content"]) == ("al ice", "hello")
    assert receipt.detail == f"{bench.dock.url} took it for al ice as s1"


async def test_an_answer_goes_into_the_conversation_that_it_came_from(bench):
    bench.dock.tell("hello")
    async with bench.open(**QUIET, groups=["g1"]) as transport:
        await bench.arrived(1)
        answer = replace(make_message("hi", to=ALICE), thread="dock/c-alice", in_reply_to=("m1",))
        await transport.send(answer, ALICE)
        await transport.send(replace(make_message("to all", to=ALICE), thread="dock/g1"), ALICE)
        await transport.send(make_message("direct", to="conversation:g2@dock"), "conversation:g2@dock")
    first, second, third = bench.dock.posted
    assert {name: first[name] for name in ("conversationId", "toAgentId", "replyTo")} == {
        "conversationId": "c-alice",
        "toAgentId": "alice",
        "replyTo": "m1",
    }
    assert (second["conversationId"], second["toAgentId"]) == ("g1", "group")
    assert third["conversationId"] == "g2"


async def test_a_reply_to_what_was_sent_comes_in_as_its_answer(bench):
    message = replace(make_message("question", to=ALICE), thread="t-1")
    async with bench.open(**QUIET) as transport:
        await transport.send(message, ALICE)
    bench.dock.tell("answer", replyTo="s1", stream=False)
    async with bench.open(**QUIET):
        await bench.arrived(1)
    [draft] = bench.intake.drafts
    assert (draft.thread, draft.in_reply_to) == ("t-1", (message.id,))


@pytest.mark.parametrize(
    "answer", [error(404, "E_NOT_FOUND_AGENT", "no such agent"), error(403, "E_AUTH_FORBIDDEN", "no such agent")]
)
async def test_a_final_refusal_ends_it_with_the_servers_reason(bench, answer):
    bench.dock.on("POST /messages", answer)
    async with bench.open(**QUIET) as transport:
        with pytest.raises(TransportRefusedError, match="no such agent"):
            await transport.send(make_message("hello", to=ALICE), ALICE)


async def test_what_no_dock_would_read_is_refused_before_it_is_sent(bench):
    text = "\x01" * 2**20
    message = make_message(text, to=ALICE)
    async with bench.open(**QUIET) as transport:
        for _ in range(2):
            with pytest.raises(TransportRefusedError, match=rf"has 62915\d\d bytes, and at most {MAX_BODY} "):
                await transport.send(message, ALICE)
        assert not bench.dock.said("POST /messages")
        assert not bench.dock.said("GET /conversations")  # it was never tried
        await transport.send(make_message("ü" * 2**19, to=ALICE), ALICE)
    assert contents(bench.dock) == ["ü" * 2**19]


@pytest.mark.parity("CR-10")
async def test_what_is_not_taken_now_says_when_to_try_again(bench):
    bench.dock.on("POST /messages", error(429, "E_RATE_LIMIT", Retry_After="42"))
    message = make_message("hello", to=ALICE)
    async with bench.open(**QUIET) as transport:
        with pytest.raises(TransportError) as caught:
            await transport.send(message, ALICE)
        assert caught.value.retry_after == 42
        with pytest.raises(TransportError) as caught:
            await transport.send(message, ALICE)
        assert caught.value.retry_after == 42
        assert len(bench.dock.said("POST /messages")) == 1
        await bench.clock.advance(42)
        receipt = await transport.send(message, ALICE)
    assert contents(bench.dock) == ["hello"]
    assert "second try" not in receipt.detail


@pytest.mark.parametrize("trouble", [error(500), error(503), Trouble.DROP])
async def test_what_was_not_taken_is_sent_again_and_arrives_once(bench, trouble):
    bench.dock.on("POST /messages", trouble)
    message = make_message("hello", to=ALICE)
    async with bench.open(**QUIET) as transport:
        with pytest.raises(TransportError):
            await transport.send(message, ALICE)
        await transport.send(message, ALICE)
    assert contents(bench.dock) == ["hello"]


@pytest.mark.parametrize("restarted", [False, True])
async def test_an_answer_that_was_lost_doubles_nothing_at_a_server_that_knows_idempotency_keys(bench, restarted):
    message = make_message("hello", to=ALICE)
    async with bench.open(**QUIET) as transport:
        await transport.send(make_message("first", to=ALICE), ALICE)
        bench.dock.on("POST /messages", Trouble.LOSE)
        with pytest.raises(TransportError):
            await transport.send(message, ALICE)
        if not restarted:
            receipt = await transport.send(message, ALICE)
            assert not bench.dock.said("GET /conversations")
            _, *tries = [one.headers["idempotency-key"] for one in bench.dock.said("POST /messages")]
            assert tries == [f"{message.id}/alice@dock"] * 2
    if restarted:
        async with bench.open(**QUIET) as transport:
            receipt = await transport.send(message, ALICE)
    assert contents(bench.dock) == ["first", "hello"]
    assert "may have" not in receipt.detail


async def test_at_another_server_it_is_looked_up_first(bench):
    bench.dock.knows_keys = False
    message = make_message("hello", to=ALICE)
    bench.dock.on("POST /messages", Trouble.LOSE)
    async with bench.open(**QUIET) as transport:
        with pytest.raises(TransportError):
            await transport.send(message, ALICE)
    async with bench.open(**QUIET) as transport:
        receipt = await transport.send(message, ALICE)
        assert (await transport.send(message, ALICE)).detail.endswith("before this process began")
        await transport.send(make_message("hello", to=ALICE), ALICE)  # the same words again are another message
    assert contents(bench.dock) == ["hello", "hello"]
    assert receipt.detail.endswith("as s1 at an earlier try, whose answer was lost")


async def test_it_is_looked_up_among_messages_that_are_too_large_for_one_answer(bench, monkeypatch):
    monkeypatch.setattr(client, "MAX_BYTES", 5000)
    bench.dock.knows_keys = False
    for _ in range(20):
        bench.dock.tell("x" * 1000, stream=False)
    message = make_message("hello", to=ALICE)
    bench.dock.on("POST /messages", Trouble.LOSE)
    async with bench.open(**QUIET) as transport:
        with pytest.raises(TransportError):
            await transport.send(message, ALICE)
        receipt = await transport.send(message, ALICE)
    assert contents(bench.dock) == ["hello"]
    assert receipt.detail.endswith("as s1 at an earlier try, whose answer was lost")


async def test_where_it_cannot_be_found_it_is_sent_again_and_the_receipt_says_so(bench):
    bench.dock.knows_keys = False
    message = make_message("hello", to=ALICE)
    bench.dock.on("POST /messages", Trouble.LOSE)
    async with bench.open(**QUIET) as transport:
        with pytest.raises(TransportError):
            await transport.send(message, ALICE)
        bench.dock.on("GET /conversations", error(404))
        receipt = await transport.send(message, ALICE)
    assert contents(bench.dock) == ["hello", "hello"]
    assert "the first may have arrived, too" in receipt.detail


async def test_what_the_server_took_is_not_sent_again_when_the_process_died_before_it_could_be_settled(bench):
    message = make_message("hello", to=ALICE)
    async with bench.open(**QUIET) as transport:
        await transport.send(message, ALICE)
    async with bench.open(**QUIET) as transport:
        await transport.send(message, ALICE)
    assert len(bench.dock.said("POST /messages")) == 1


async def test_it_reaches_those_beyond_itself_alone(bench):
    async with bench.open(**QUIET) as transport:
        assert [transport.reaches(name) for name in (ALICE, "alice", "alice@other", "@dock", "a@b@dock")] == [
            *(True, False, False, False),
            True,
        ]


async def test_what_goes_into_one_conversation_goes_one_at_a_time_and_holds_up_nobody_else(bench):
    group, path = "conversation:g1@dock", "POST /conversations/g1/messages"
    bench.dock.on(path, Trouble.HANG)
    async with bench.open(**QUIET, groups=["g1"]) as transport, anyio.create_task_group() as tasks:
        tasks.start_soon(transport.send, make_message("first", to=group), group)
        await bench.dock.until(lambda: len(bench.dock.said(path)) == 1)
        tasks.start_soon(transport.send, replace(make_message("second", to=ALICE), thread="dock/g1"), ALICE)
        await anyio.lowlevel.checkpoint()
        await transport.send(make_message("direct", to="bob@dock"), "bob@dock")
        assert len(bench.dock.said(path)) == 1
        tasks.cancel_scope.cancel()
    assert contents(bench.dock) == ["direct"]
