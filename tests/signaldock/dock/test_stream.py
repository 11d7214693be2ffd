"""The stream of the dock: what waits, what arrives, in words of every client, to every stream of an agent."""

from __future__ import annotations

from contextlib import asynccontextmanager

import anyio
import pytest

from relaykit.builtin.routing import AddressRouter
from relaykit.mailbox.sqlite import open_mailbox
from relaykit.model import Agent, Draft
from relaykit.relay.clock import SystemClock
from relaykit_signaldock.dock import feed as feeding
from relaykit_signaldock.dock.feed import Feed, Follower
from relaykit_signaldock.dock.keys import digest
from relaykit_signaldock.dock.sqlite_store import open_store

pytestmark = [pytest.mark.anyio, pytest.mark.parity("CR-11")]
SECONDS = 20


async def test_a_stream_brings_what_waits_and_then_what_arrives(docks):
    async with docks.open("alice", "bob") as (alice, bob):
        before = [await alice.send("bob", f"{number}") for number in range(3)]
        await bob.ack(before[0]["id"])
        async with bob.stream() as stream:
            for sent in before[1:]:
                frame = await stream.message()
                assert (frame["id"], frame["data"]["id"]) == (sent["id"], sent["id"])
            now = await alice.send("bob", "now, @bob")
            data = (await stream.message())["data"]
        same = {
            now["id"]: ("id", "messageId"),
            "alice": ("from", "fromAgentId", "from_agent_id", "fromAgentName"),
            now["conversationId"]: ("conversationId", "conversation_id", "threadId"),
            now["createdAt"]: ("createdAt", "created_at", "timestamp"),
            "now, @bob": ("content",),
            "text": ("contentType",),
        }
        assert {value: {data[name] for name in names} for value, names in same.items()} == {one: {one} for one in same}
        assert (data["metadata"], data["attachments"]) == ({"mentions": ["bob"]}, [])


async def test_every_stream_of_an_agent_gets_everything_and_nobody_elses(docks):
    async with docks.open("alice", "bob", "carol") as (alice, bob, carol):
        async with bob.stream() as one, bob.stream() as two, carol.stream() as other:
            await alice.send("bob", "both")
            await alice.send("carol", "hers")
            assert [(await stream.message())["data"]["content"] for stream in (one, two, other)] == [
                "both",
                "both",
                "hers",
            ]
            status = await alice.ask("GET", "/messages/stream/status", Authorization=None)
            assert status.data["connections"] == 3
        assert len(await bob.peek()) == 1


async def test_the_key_may_stand_in_the_query_of_a_stream_alone(docks):
    async with docks.open("alice", "bob") as (alice, bob):
        async with bob.stream(f"/messages/stream?token={bob.key}&agent_id=bob", Authorization=None) as stream:
            await alice.send("bob", "hello")
            assert (await stream.message())["data"]["content"] == "hello"
        wrong = f"/messages/stream?token=sk_live_{'0' * 64}&agent_id=bob"
        for path in (wrong, f"/messages/stream?token={bob.key}&agent_id=alice", f"/messages/peek?token={bob.key}"):
            answer = await bob.ask("GET", path, Authorization=None, X_Agent_Id=None)
            assert (answer.status, answer.code) == (401, "E_AUTH_UNAUTHORIZED")


async def test_a_stream_goes_on_after_the_event_that_the_client_had_last(docks):
    async with docks.open("alice", "bob") as (alice, bob):
        sent = [await alice.send("bob", f"{number}") for number in range(3)]
        async with bob.stream(Last_Event_ID=sent[1]["id"]) as stream:
            assert (await stream.message())["id"] == sent[2]["id"]


async def test_a_stream_gives_signs_of_life(docks):
    async with docks.open("bob", heartbeat_seconds=0.05) as (bob,):
        async with bob.stream() as stream:
            with anyio.fail_after(SECONDS):
                frame = await stream.frame()
            assert (frame["event"], list(frame["data"])) == ("heartbeat", ["timestamp"])
        assert (await bob.ask("GET", "/agents/bob")).data["agent"]["status"] == "online"


@asynccontextmanager
async def ending(client):
    """A stream that the dock ends meanwhile, without a message in it."""
    async with client.stream() as stream:
        yield
        with pytest.raises(EOFError):
            await stream.message()


def reset(home, agent, key):
    """Do what another process does with `keys reset`."""
    with open_store(home / "commands" / "dock") as store:
        now = SystemClock().now()
        store.replace_keys(agent, digest(key), now, now)


@pytest.mark.parametrize("heartbeat_seconds", [0.05, 30])
async def test_a_stream_whose_key_another_process_voids_ends_and_shows_nothing_more(docks, home, heartbeat_seconds):
    async with docks.open("alice", "bob", heartbeat_seconds=heartbeat_seconds) as (alice, bob):
        async with ending(bob):
            reset(home, "bob", "sk_live_other")
            if heartbeat_seconds > SECONDS:
                await alice.send("bob", "for whoever has the new key")
        bob.key = "sk_live_other"
        async with bob.stream() as stream:
            last = await alice.send("bob", "the last")
            while (await stream.message())["id"] != last["id"]:
                pass


async def test_the_stream_of_an_agent_that_was_removed_shows_nothing_of_a_new_one_of_its_name(docks):
    async with docks.open("alice", "bob") as (alice, bob):
        async with ending(bob):
            assert (await bob.ask("DELETE", "/agents/bob")).status == 200
            new = await docks.register("bob")
            await alice.send("bob", "for the new one")
        assert [one["content"] for one in await new.peek()] == ["for the new one"]


async def test_a_stream_goes_on_with_a_key_that_was_rotated_as_long_as_that_is_good(docks):
    async with docks.open("alice", "bob") as (alice, bob), bob.stream() as stream:
        assert (await bob.ask("POST", "/agents/bob/rotate-key")).status == 200
        await alice.send("bob", "hello")
        assert (await stream.message())["data"]["content"] == "hello"


async def test_many_at_once_arrive_once_each_and_in_order(docks):
    async with docks.open("alice", "bob") as (alice, bob):
        async with bob.stream() as stream:
            expected = [(await alice.send("bob", f"{number}"))["id"] for number in range(150)]
            assert [(await stream.message())["id"] for _ in expected] == expected
        async with bob.stream() as stream:  # more than a page is replayed
            last = await alice.send("bob", "last")
            assert [(await stream.message())["id"] for _ in range(151)] == [*expected, last["id"]]


async def test_the_dock_stops_at_once_with_a_stream_open(docks):
    async with docks.open("bob") as (bob,):
        streams = bob.stream()
        stream = await streams.__aenter__()
    with anyio.fail_after(SECONDS), pytest.raises((EOFError, anyio.EndOfStream)):
        await stream.frame()
    await streams.__aexit__(None, None, None)


async def test_who_reads_too_slowly_is_hung_up_on(monkeypatch):
    monkeypatch.setattr(feeding, "_MOST_BYTES", 10)
    follower = Follower()
    follower.push(1, b"12345")
    assert not follower.ended.is_set()
    follower.push(2, b"123456")
    assert follower.ended.is_set()


async def test_what_waits_for_a_stream_comes_in_one_piece_without_what_was_sent_before():
    follower = Follower()
    for number in range(4):
        follower.push(number, b"%d" % number)
    with anyio.fail_after(SECONDS):
        assert await follower.next(1) == b"23"


class Slow:
    """A mailbox that says only when it is let what has arrived."""

    def __init__(self, mailbox):
        self.watch = mailbox.watch
        self._mailbox = mailbox
        self.asked, self.let = anyio.Event(), anyio.Event()

    async def arrived(self, number, recipients):
        self.asked.set()
        await self.let.wait()
        return await self._mailbox.arrived(number, recipients)


async def test_what_comes_while_others_are_asked_for_reaches_a_stream_that_has_just_begun(tmp_path):
    async with open_mailbox(tmp_path / "mailbox.db", routers=[AddressRouter()]) as mailbox:
        await mailbox.enroll(Agent(id="bob", provider="echo", cwd="", reads_inbox=True))
        number, _ = await mailbox.arrived(None, ())
        slow = Slow(mailbox)
        with open_store(tmp_path) as store, anyio.fail_after(SECONDS):
            feed = Feed(slow, store, SystemClock(), print)
            async with anyio.create_task_group() as tasks:
                tasks.start_soon(feed.run, number, name="feed")
                await slow.asked.wait()
                with feed.follow("bob") as follower:
                    assert not await mailbox.unread("bob", after=0, limit=10)
                    await mailbox.put(Draft(id="m", sender="alice", to="bob", body="just now"))
                    slow.let.set()
                    frames = await follower.next(0)
                tasks.cancel_scope.cancel()
    assert frames.count(b"just now") == frames.count(b"event: message") == 1
