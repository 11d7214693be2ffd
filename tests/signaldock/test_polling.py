"""What comes in by polling: each message once, whatever the server does."""

from __future__ import annotations

import json

import pytest

from relaykit.errors import RefusedError, StoreError
from relaykit.model import Draft
from relaykit.testing.dock import Trouble, error
from relaykit.testing.dock_http import Reply
from relaykit_signaldock import client

pytestmark = pytest.mark.anyio
HTTP = {"mode": "http", "heartbeat_seconds": 0}


def numbers(first: int, last: int) -> list[str]:
    return [f"number {number}" for number in range(first, last + 1)]


@pytest.mark.parity("CR-3")
async def test_a_message_comes_in_with_its_sender_its_thread_and_its_account(bench):
    bench.dock.tell("hello", sender="al ice@x")
    async with bench.open(**HTTP, deliver_to="reviewer"):
        await bench.dock.until(lambda: "m1" in bench.dock.acked)
    [draft] = bench.intake.drafts
    assert draft == Draft(
        id="m1", sender="al%20ice%40x@dock", to="reviewer", body="hello", thread="dock/c-al ice@x", account="bob"
    )


@pytest.mark.parity("CR-3")
async def test_it_looks_again_at_its_interval(bench):
    async with bench.open(**HTTP):
        for number in range(1, 4):
            await bench.dock.until(lambda number=number: len(bench.dock.said("GET /messages/peek")) == number)
            await bench.clock.advance(4.9)
            assert len(bench.dock.said("GET /messages/peek")) == number
            await bench.clock.advance(0.1)


@pytest.mark.parity("CR-4")
async def test_a_big_backlog_comes_in_whole_and_in_order(bench):
    bench.rows(700)
    async with bench.open(**HTTP):
        await bench.dock.until(lambda: len(bench.dock.acked) == 700)
    assert bench.bodies == numbers(1, 700)


def limits(dock, request: str) -> list[str]:
    return [one.query["limit"] for one in dock.said(request)]


async def test_messages_that_are_too_large_for_one_answer_come_in_fewer_at_a_time(bench, monkeypatch):
    monkeypatch.setattr(client, "MAX_BYTES", 5000)
    texts = [f"{number:1000}" for number in range(60)]
    for text in texts:
        bench.dock.tell(text, stream=False)
    async with bench.open(**HTTP):
        await bench.dock.until(lambda: len(bench.dock.acked) == 60)
    assert bench.bodies == texts
    assert limits(bench.dock, "GET /messages/peek")[:6] == ["50", "25", "12", "6", "3", "3"]
    assert bench.reports == []


async def test_a_single_message_that_is_too_large_is_told_of(bench, monkeypatch):
    monkeypatch.setattr(client, "MAX_BYTES", 5000)
    bench.dock.tell("x" * 5000, stream=False)
    async with bench.open(**HTTP):
        await bench.dock.until(lambda: "1" in limits(bench.dock, "GET /messages/peek"))
        await bench.clock.advance(0)
    assert limits(bench.dock, "GET /messages/peek")[:6] == ["50", "25", "12", "6", "3", "1"]
    assert [line for line in bench.reports if "the answer has more than 5000 bytes" in line]


@pytest.mark.parity("CR-4")
@pytest.mark.parametrize("trouble", [error(503), Trouble.DROP, Trouble.LOSE])
async def test_an_acknowledgement_that_is_lost_doubles_nothing_not_even_after_a_restart(bench, trouble):
    bench.rows(3)
    bench.dock.on("POST /messages/ack", trouble)
    async with bench.open(**HTTP):
        await bench.dock.until(lambda: bool(bench.dock.said("POST /messages/ack")))
    async with bench.open(**HTTP):
        await bench.dock.until(lambda: len(bench.dock.acked) == 3)
    assert bench.bodies == numbers(1, 3)


@pytest.mark.parity("CR-4")
async def test_a_server_that_forgets_acknowledgements_hides_nothing_and_doubles_nothing(bench):
    bench.dock.forgets_acks = True
    bench.rows(450)
    async with bench.open(**HTTP):
        await bench.arrived(450)
        bench.dock.tell("the last")
        await bench.clock.advance(5)
        await bench.arrived(451)
    assert bench.bodies == [*numbers(1, 450), "the last"]


class Picky:
    """A mailbox that refuses some, and takes the others."""

    def __init__(self, intake, refuses):
        self.intake = intake
        self.refuses = refuses
        self.error = RefusedError("the queue is full")

    async def put(self, draft, *, synced=True):
        assert synced
        if self.refuses(draft.body):
            raise self.error
        return await self.intake.put(draft)

    @property
    def drafts(self):
        return self.intake.drafts


@pytest.mark.parity("CR-3", "CR-4")
async def test_more_than_a_page_that_is_refused_starves_nothing_behind_it(bench):
    bench.intake = Picky(bench.intake, lambda body: body.startswith("number"))
    bench.rows(230)
    bench.dock.tell("the good one", stream=False)
    async with bench.open(**HTTP):
        await bench.dock.until(lambda: "m231" in bench.dock.acked)
        assert bench.dock.acked == {"m231"}
        bench.intake.refuses = lambda body: False
        for _ in range(12):
            await bench.clock.advance(5)
        await bench.dock.until(lambda: len(bench.dock.acked) == 231)
    assert sorted(bench.bodies) == sorted([*numbers(1, 230), "the good one"])


@pytest.mark.parity("CR-3")
@pytest.mark.parametrize("failure", [RefusedError("too large"), StoreError("the disk is full")])
async def test_a_message_that_fails_fails_alone_is_told_of_once_and_comes_in_later(bench, failure):
    bench.intake = Picky(bench.intake, lambda body: body == "number 2")
    bench.intake.error = failure
    bench.rows(3)
    async with bench.open(**HTTP):
        await bench.dock.until(lambda: bench.dock.acked == {"m1", "m3"})
        for _ in range(3):
            await bench.clock.advance(5)
        bench.intake.refuses = lambda body: False
        await bench.clock.advance(60)
        await bench.dock.until(lambda: "m2" in bench.dock.acked)
    assert bench.bodies == ["number 1", "number 3", "number 2"]
    told = [line for line in bench.reports if "m2" in line]
    assert len(told) == 2
    assert str(failure) in told[0]


GARBAGE = {"data": {"messages": [None, 7, {"id": "x"}, {"id": "y", "content": [], "from": "z"}]}}
WRONG = (b"", b"[]", b"null", b"<html>", b'{"data": {}}', b'{"data": {"messages": {}}}', b"\xff", b"[" * 100_000)


@pytest.mark.parametrize("body", [*WRONG, json.dumps(GARBAGE).encode()], ids=lambda body: repr(body[:12]))
async def test_answers_of_the_wrong_shape_do_no_harm(bench, body):
    bench.dock.tell("hello", stream=False)
    bench.dock.on("GET /messages/peek", Reply(body=body), Reply(body=body))
    async with bench.open(**HTTP):
        for _ in range(4):
            await bench.clock.advance(60)
        await bench.dock.until(lambda: "m1" in bench.dock.acked)
    assert bench.bodies == ["hello"]


async def test_a_message_to_oneself_is_a_sign_of_life_and_nothing_else(bench):
    bench.dock.tell("", sender="bob")
    async with bench.open(**HTTP):
        await bench.dock.until(lambda: "m1" in bench.dock.acked)
    assert bench.bodies == []


async def test_an_attachment_is_said_where_it_is_not_fetched(bench):
    bench.dock.tell("look", attachments=[{"filename": "plan.md"}, "b.txt", {}])
    async with bench.open(**HTTP):
        await bench.arrived(1)
    assert bench.bodies == ["look\n\n[attached, and not fetched: plan.md, b.txt, without a name]"]


@pytest.mark.parity("CR-10")
async def test_a_rate_limit_is_honoured_by_everything(bench):
    bench.dock.on("GET /messages/peek", error(429, "E_RATE_LIMIT", "slowly", Retry_After="42"))
    async with bench.open(mode="http", heartbeat_seconds=1) as transport:
        await bench.dock.until(lambda: bool(bench.dock.said("GET /messages/peek")))
        await bench.clock.advance(0)
        before = len(bench.dock.requests)
        for _ in range(41):
            await bench.clock.advance(1)
        assert len(bench.dock.requests) <= before + 1  # the sign of life that was on its way
        assert transport.reaches("alice@dock")
        bench.dock.tell("hello", stream=False)
        await bench.clock.advance(2)
        await bench.arrived(1)


async def test_the_last_request_of_a_limit_is_followed_by_none_until_its_reset(bench):
    good = json.dumps({"data": {"messages": []}}).encode()
    headers = {"X-RateLimit-Remaining": "0", "X-RateLimit-Reset": "30"}
    bench.dock.on("GET /messages/peek", Reply(body=good, headers=headers))
    async with bench.open(**HTTP):
        await bench.dock.until(lambda: len(bench.dock.said("GET /messages/peek")) == 1)
        for _ in range(29):
            await bench.clock.advance(1)
        assert len(bench.dock.said("GET /messages/peek")) == 1
        await bench.clock.advance(6)
        await bench.dock.until(lambda: len(bench.dock.said("GET /messages/peek")) == 2)


async def test_a_storm_of_errors_is_told_of_once_and_so_is_its_end(bench):
    troubles = [error(500), error(502), Trouble.DROP, error(503, Retry_After="20"), Reply(status=301)]
    bench.dock.on("GET /messages/peek", *troubles)
    async with bench.open(**HTTP):
        for count in range(1, len(troubles) + 1):
            await bench.dock.until(lambda count=count: len(bench.dock.said("GET /messages/peek")) >= count)
            await bench.clock.advance(60)
        bench.dock.tell("hello", stream=False)
        await bench.clock.advance(5)
        await bench.arrived(1)
    assert [line for line in bench.reports if "answers again" in line] == [f"dock: {bench.dock.url} answers again"]
    assert len([line for line in bench.reports if "nothing comes in now" in line]) == 1


async def test_a_server_that_never_finishes_its_answer_is_given_up(bench):
    bench.dock.on("GET /messages/peek", Trouble.HANG)
    bench.dock.tell("hello", stream=False)
    async with bench.open(**HTTP | {"timeout_seconds": 0.3}):
        await bench.dock.until(lambda: len(bench.dock.said("GET /messages/peek")) == 1)
        while len(bench.dock.said("GET /messages/peek")) == 1:
            await bench.clock.advance(5)
        await bench.arrived(1)
    assert any("no whole answer within 0.3 s" in line for line in bench.reports)


async def test_cycles_do_not_overlap(bench):
    bench.dock.on("GET /messages/peek", Trouble.HANG)
    async with bench.open(**HTTP):
        await bench.dock.until(lambda: len(bench.dock.said("GET /messages/peek")) == 1)
        for _ in range(20):
            await bench.clock.advance(5)
        assert len(bench.dock.said("GET /messages/peek")) == 1


async def test_a_server_that_is_away_at_the_start_is_no_reason_not_to_begin(bench):
    bench.dock.on("GET /agents/bob", Trouble.DROP)
    async with bench.open(**HTTP):
        bench.dock.tell("hello", stream=False)
        await bench.clock.advance(5)
        await bench.arrived(1)
    assert any("not signed in yet" in line for line in bench.reports)


GROUP = {"conversationId": "g1", "toAgentId": "nobody", "stream": False}


@pytest.mark.parity("CR-3")
async def test_of_a_group_come_the_messages_that_mention_the_agent_the_oldest_first(bench):
    for text in ("hello all", "@bob one", "x@bob no", "@all two", "@bobby no"):
        bench.dock.tell(text, **GROUP)
    bench.dock.tell("@bob own", sender="bob", **GROUP)
    async with bench.open(**HTTP, groups=["g1"]):
        await bench.arrived(2)
        bench.dock.tell("@Bob three", **GROUP)
        await bench.clock.advance(5)
        await bench.arrived(3)
    assert bench.bodies == ["@bob one", "@all two", "@Bob three"]
    assert {draft.thread for draft in bench.intake.drafts} == {"dock/g1"}


@pytest.mark.parity("CR-4")
async def test_the_mark_of_a_group_is_durable_and_what_came_meanwhile_is_read_page_by_page(bench):
    bench.dock.tell("@bob before", **GROUP)
    async with bench.open(**HTTP, groups=["g1"]):
        await bench.arrived(1)
        await bench.clock.advance(5)
    for number in range(1, 101):
        bench.dock.tell(f"@bob {number}", **GROUP)
    async with bench.open(**HTTP, groups=["g1"]):
        await bench.arrived(101)
        looked = len(bench.dock.said("GET /conversations"))
        await bench.clock.advance(5)
        await bench.dock.until(lambda: len(bench.dock.said("GET /conversations")) > looked)
    assert bench.bodies == ["@bob before", *[f"@bob {number}" for number in range(1, 101)]]


async def test_messages_of_a_group_that_are_too_large_for_one_answer_come_in_fewer_at_a_time(bench, monkeypatch):
    monkeypatch.setattr(client, "MAX_BYTES", 5000)
    texts = [f"@bob {number:1000}" for number in range(30)]
    for text in texts[:15]:
        bench.dock.tell(text, **GROUP)
    async with bench.open(**HTTP, groups=["g1"]):
        await bench.arrived(15)
        for text in texts[15:]:
            bench.dock.tell(text, **GROUP)
        await bench.clock.advance(5)
        await bench.arrived(30)
    assert bench.bodies == texts


@pytest.mark.parity("CR-4")
async def test_a_mention_that_is_refused_is_not_passed_by_the_mark(bench):
    bench.intake = Picky(bench.intake, lambda body: body == "@bob 1")
    for number in (1, 2):
        bench.dock.tell(f"@bob {number}", **GROUP)
    async with bench.open(**HTTP, groups=["g1"]):
        await bench.arrived(1)
    bench.intake.refuses = lambda body: False
    async with bench.open(**HTTP, groups=["g1"]):
        await bench.arrived(2)
    assert bench.bodies == ["@bob 2", "@bob 1"]


@pytest.mark.parity("CR-4")
async def test_the_copies_of_one_message_to_a_group_are_one(bench):
    bench.dock.tell("@bob once", conversationId="g1", groupId="f1", id="a", stream=False)
    bench.dock.tell("@bob once", conversationId="g1", groupId="f1", id="b", toAgentId="eve", stream=False)
    bench.dock.tell("not for bob", conversationId="g1", groupId="f2", id="c", stream=False)
    async with bench.open(**HTTP, groups=["g1"]):
        await bench.dock.until(lambda: bench.dock.acked >= {"a", "c"})
        await bench.clock.advance(5)
        await bench.dock.until(lambda: len(bench.dock.said("GET /conversations")) > 1)
    assert [(draft.id, draft.body) for draft in bench.intake.drafts] == [("f1", "@bob once")]


async def test_a_group_that_cannot_be_read_hinders_no_other(bench):
    bench.dock.tell("@bob here", **GROUP)
    bench.dock.on("GET /conversations/g0", error(403, "E_AUTH_FORBIDDEN"), error(403, "E_AUTH_FORBIDDEN"))
    async with bench.open(**HTTP, groups=["g0", "g1"]):
        await bench.arrived(1)
        await bench.clock.advance(5)
        await bench.dock.until(lambda: len(bench.dock.said("GET /conversations/g0")) == 2)
    assert len([line for line in bench.reports if "group g0 cannot be read" in line]) == 1


async def test_names_are_escaped_in_paths(bench):
    async with bench.open(**HTTP, groups=["a/b ?c"]):
        await bench.dock.until(lambda: bool(bench.dock.said("GET /conversations")))
    target = bench.dock.said("GET /conversations")[0].target
    assert target.startswith("/conversations/a%2Fb%20%3Fc/messages?")
