"""Messages of the dock: sent once, seen until they are acknowledged, by whom they are for."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from urllib.parse import quote
from uuid import uuid4

import anyio
import pytest

from relaykit.cli.lending import Lending
from relaykit.model import USER, Agent, Draft

pytestmark = [pytest.mark.anyio, pytest.mark.parity("CR-11")]


async def test_a_message_is_seen_until_it_is_acknowledged(docks):
    async with docks.open("alice", "bob") as (alice, bob):
        sent = await alice.send("bob", "see #notes and T12, @bob: /review-it please")
        for _ in range(2):
            (seen,) = await bob.peek()
            assert (seen["id"], seen["fromAgentId"], seen["toAgentId"]) == (sent["id"], "alice", "bob")
            assert seen["conversationId"] == sent["conversationId"]
            assert (seen["status"], seen["contentType"]) == ("pending", "text")
        assert seen["metadata"] == {
            "mentions": ["bob"],
            "directives": ["review-it"],
            "tags": ["notes"],
            "taskRefs": ["T12"],
        }
        assert await bob.ack(sent["id"], "sse-1234", str(uuid4())) == {"acknowledged": 1, "messageIds": [sent["id"]]}
        assert await bob.peek() == []
        read = (await alice.ask("GET", f"/messages/{sent['id']}")).data["message"]
        assert (read["status"], read["content"]) == ("read", sent["content"])


async def test_what_the_sender_says_of_a_message_comes_with_it(docks):
    async with docks.open("alice", "bob") as (alice, bob):
        body = {"contentType": "rich_text", "metadata": {"mentions": ["carol"], "ticket": 7}}
        await alice.send("bob", "@bob look", body=body)
        (seen,) = await bob.peek()
        assert seen["contentType"] == "rich_text"
        assert seen["metadata"] == {"mentions": ["carol", "bob"], "ticket": 7}


async def test_nobody_acknowledges_or_reads_what_came_to_another(docks):
    async with docks.open("alice", "bob", "eve") as (alice, bob, eve):
        sent = await alice.send("bob", "for bob alone")
        assert (await eve.ack(sent["id"]))["acknowledged"] == 0
        assert (await eve.ask("GET", f"/messages/{sent['id']}")).code == "E_NOT_FOUND_MESSAGE"
        assert (await eve.ask("GET", f"/messages/{sent['id'][:8]}")).code == "E_NOT_FOUND_MESSAGE"
        assert (await eve.ask("POST", f"/messages/{sent['id']}/ack")).status == 404
        assert (await eve.ask("GET", f"/conversations/{sent['conversationId']}/messages")).status == 404
        answer = await eve.ask("POST", "/messages", {"content": "me too", "toAgentId": "bob", "replyTo": sent["id"]})
        assert answer.code == "E_NOT_FOUND_MESSAGE"
        assert len(await bob.peek()) == 1


async def test_an_idempotency_key_sends_once_across_a_restart(docks):
    async with docks.open("alice", "bob") as (alice, bob):
        first = await alice.ask("POST", "/messages", {"content": "once", "toAgentId": "bob"}, Idempotency_Key="k 1")
        assert first.headers["idempotency-key"] == "k 1"
        await bob.ack(first.data["message"]["id"])
        keys = (alice.key, bob.key)
    async with docks.open():
        alice.url = bob.url = docks.url
        assert (alice.key, bob.key) == keys
        again = await alice.ask("POST", "/messages", {"content": "once", "toAgentId": "bob"}, Idempotency_Key="k 1")
        assert again.data["message"]["id"] == first.data["message"]["id"]
        assert await bob.peek() == []
        other = await alice.ask("POST", "/messages", {"content": "other", "toAgentId": "bob"}, Idempotency_Key="k 1")
        assert (other.status, other.code) == (409, "E_CONFLICT_DUPLICATE")
        same_key = await bob.ask("POST", "/messages", {"content": "mine", "toAgentId": "alice"}, Idempotency_Key="k 1")
        assert same_key.data["message"]["id"] != first.data["message"]["id"]


async def test_pages_go_on_after_a_message_or_a_time(docks):
    async with docks.open("alice", "bob") as (alice, bob):
        sent = [await alice.send("bob", f"{number}") for number in range(5)]
        ids = [one["id"] for one in sent]
        assert [one["id"] for one in await bob.peek("?limit=2")] == ids[:2]
        assert [one["id"] for one in await bob.peek(f"?limit=2&since={ids[1]}")] == ids[2:4]
        await bob.ack(ids[1])
        assert [one["id"] for one in await bob.peek(f"?since={ids[1]}")] == ids[2:]
        assert await bob.peek("?since=2999-01-01T00:00:00Z") == []
        assert len(await bob.peek("?since=2020-01-01T00:00:00.000Z")) == 4
        assert len(await bob.peek(f"?since={uuid4()}")) == 4
        assert (await bob.ask("GET", "/messages/peek?limit=0")).code == "E_VALIDATION_INVALID_FORMAT"
        assert (await bob.ask("GET", "/messages/peek?after=soon")).code == "E_VALIDATION_INVALID_FORMAT"


async def test_a_poll_brings_each_message_once_and_peek_still_shows_it(docks):
    async with docks.open("alice", "bob") as (alice, bob):
        first = await alice.send("bob", "1")
        polled = (await bob.ask("GET", "/messages/poll/new")).data["messages"]
        second = await alice.send("bob", "2")
        again = (await bob.ask("GET", "/messages/poll/new")).data["messages"]
        assert [[one["id"] for one in page] for page in (polled, again)] == [[first["id"]], [second["id"]]]
        assert len(await bob.peek()) == 2
        since = (await bob.ask("GET", f"/messages/poll/new?since={first['id']}")).data["messages"]
        assert [one["id"] for one in since] == [second["id"]]


async def test_mentioned_narrows_and_a_direct_message_mentions_whom_it_is_to(docks):
    async with docks.open("alice", "bob", "carol") as (alice, bob, carol):
        made = await alice.ask("POST", "/conversations", {"participants": ["bob", "carol"]})
        group = made.data["conversation"]["id"]
        direct = await alice.send("bob", "no name in it")
        for text in ("nobody", "@bob", "@ALL come"):
            await alice.ask("POST", f"/conversations/{group}/messages", {"content": text})
        assert len(await bob.peek()) == 4
        found = await bob.peek("?mentioned=bob")
        assert [one["content"] for one in found] == [direct["content"], "@bob", "@ALL come"]
        assert [one["content"] for one in await carol.peek("?mentioned=carol")] == ["@ALL come"]
        assert await bob.peek("?mentioned=carol&limit=1") != []


async def test_what_waits_is_counted_by_conversation(docks):
    async with docks.open("alice", "bob") as (alice, bob):
        sent = await alice.send("bob", "@bob please")
        await alice.send("bob", "more")
        inbox = (await bob.ask("GET", "/agents/bob/inbox")).data
        assert inbox["unreadTotal"] == 2
        assert inbox["conversations"] == [{"conversationId": sent["conversationId"], "unreadCount": 2}]
        assert [one["id"] for one in inbox["actionItems"]] == [sent["id"]]
        summary = (await bob.ask("GET", "/messages/unread-summary")).data
        assert (summary["unreadTotal"], summary["conversations"][0]["fromAgentId"]) == (2, "alice")
        assert (await alice.ask("GET", "/agents/bob/inbox")).code == "E_AUTH_FORBIDDEN"


async def test_an_unknown_recipient_a_group_and_nonsense_are_refused(docks):
    async with docks.open("alice") as (alice,):
        for to in ("nobody", "broadcast", "tag:x", "any:tag:x", "who@elsewhere", ""):
            answer = await alice.ask("POST", "/messages", {"content": "x", "toAgentId": to})
            assert (answer.status, answer.code) == (404, "E_NOT_FOUND_AGENT")
        wrong = {
            "E_VALIDATION_MISSING_FIELD": {"toAgentId": "alice"},
            "E_VALIDATION_SCHEMA": {"content": 7, "toAgentId": "alice"},
        }
        for code, body in wrong.items():
            assert (await alice.ask("POST", "/messages", body)).code == code
        assert (await alice.ask("POST", "/messages", ["x"])).code == "E_VALIDATION_SCHEMA"
        assert (await alice.ask("GET", "/nowhere")).code == "E_NOT_FOUND_RESOURCE"
        assert (await alice.ask("PUT", "/messages/peek")).status == 404


async def test_an_empty_message_to_oneself_is_a_sign_of_life(docks):
    async with docks.open("alice", "bob") as (alice, bob):
        assert (await alice.send("alice", ""))["id"]
        assert await alice.peek() == []
        assert (await bob.ask("GET", "/agents/alice")).data["agent"]["status"] == "online"


async def test_a_full_inbox_refuses_for_now(docks, tmp_path):
    (tmp_path / "relaykit.toml").write_text("[relay.limits]\nqueued = 2\n")
    async with docks.open("alice", "bob") as (alice, bob):
        sent = [await alice.send("bob", text) for text in "12"]
        full = await alice.ask("POST", "/messages", {"content": "3", "toAgentId": "bob"})
        assert (full.status, full.code, full.json["error"]["retryable"]) == (429, "E_RATE_LIMIT", True)
        await bob.ack(sent[0]["id"])
        await alice.send("bob", "3")


async def test_the_person_and_the_agents_of_this_machine_are_reached_without_http(docks):
    async with docks.open("alice") as (alice,), Lending("test").mailbox() as mailbox:
        await mailbox.claim(Agent(id="worker", provider="echo", cwd="/"), "a relay")
        put = await mailbox.put(Draft(sender="worker", to="alice", body="from a relay"))
        (seen,) = await alice.peek()
        assert (seen["fromAgentId"], seen["content"]) == ("worker", "from a relay")
        path = f"/conversations/{seen['conversationId']}/messages"
        answer = await alice.ask("POST", path, {"content": "and back", "replyTo": seen["id"]})
        assert answer.data["message"]["toAgentId"] == "worker"
        (got,) = await mailbox.inbox("worker")
        assert (got.message.sender, got.message.thread, got.message.in_reply_to) == (
            "alice",
            put.message.thread,
            (seen["id"],),
        )
        await alice.send(USER, "for the person")
        (got,) = await mailbox.inbox(USER)
        assert got.message.body == "for the person"
        everyone = (await alice.ask("GET", "/agents")).data["agents"]
        assert [(one["agentId"], one["status"]) for one in everyone] == [("alice", "offline"), ("worker", "offline")]


async def test_a_group_gets_one_message_stored_as_one(docks):
    async with docks.open("alice", "bob", "carol") as (alice, bob, carol):
        made = await alice.ask("POST", "/conversations", {"participants": ["bob", "carol", "alice"]})
        group = made.data["conversation"]
        assert group["participants"] == ["alice", "bob", "carol"]
        path = f"/conversations/{group['id']}/messages"
        sent = (await alice.ask("POST", path, {"content": "all", "toAgentId": group["id"]})).data["message"]
        for one in (bob, carol):
            (seen,) = await one.peek()
            assert (seen["id"], seen["groupId"], seen["toAgentId"]) == (sent["id"], sent["id"], one.agent)
        await bob.ack(sent["id"])
        assert (await bob.peek(), len(await carol.peek())) == ([], 1)
        assert await alice.peek() == []
        rows = (await carol.ask("GET", f"{path}?sort=desc&limit=15")).data["messages"]
        assert [one["id"] for one in rows] == [sent["id"]]


async def test_a_conversation_is_read_page_by_page(docks):
    async with docks.open("alice", "bob") as (alice, bob):
        made = await alice.ask("POST", "/conversations", {"participants": ["alice", "bob"]})
        conversation = made.data["conversation"]["id"]
        for number in range(5):
            assert (await (alice, bob)[number % 2].send(("bob", "alice")[number % 2], f"{number}" * 300))[
                "conversationId"
            ] == conversation
        path = f"/conversations/{conversation}/messages"

        async def contents(query):
            return [one["content"][:1] for one in (await bob.ask("GET", path + query)).data["messages"]]

        assert await contents("") == list("01234")
        assert await contents("?sort=desc&limit=2") == list("43")
        assert await contents("?sort=desc&limit=2&page=2") == list("21")
        assert await contents("?limit=2&offset=3") == list("34")
        compact = (await bob.ask("GET", f"{path}?compact=true")).data["messages"]
        assert {len(one["content"]) for one in compact} == {200}
        (listed,) = (await bob.ask("GET", "/conversations")).data["conversations"]
        assert (listed["id"], listed["participants"]) == (conversation, ["alice", "bob"])
        assert (await bob.ask("GET", f"/conversations/{conversation}")).data["conversation"]["messageCount"] == 5
        more = await bob.ask("POST", f"/conversations/{conversation}/participants", {"agentId": "bob"})
        assert more.code == "E_VALIDATION_CONSTRAINT"


async def test_a_conversation_is_read_after_a_time_however_it_is_written(docks):
    async with docks.open("alice", "bob") as (alice, bob):
        sent = await alice.send("bob", "hello")
        path = f"/conversations/{sent['conversationId']}"
        at = datetime.fromisoformat(sent["createdAt"])

        async def count(moment, zone):
            after = quote(moment.astimezone(timezone(timedelta(hours=zone))).isoformat())
            return len((await bob.ask("GET", f"{path}/messages?after={after}")).data["messages"])

        minute = timedelta(minutes=1)
        for zone in (-2, 0, 2):
            assert [await count(at + apart, zone) for apart in (-minute, timedelta(), minute)] == [1, 0, 0]
        second = f"{at:%Y-%m-%dT%H:%M:%S}"
        early = (await bob.ask("GET", f"{path}/messages?after={second}Z")).data["messages"]
        assert len(early) == (1 if at.microsecond else 0)
        for way in ("messages", "pins"):
            assert (await bob.ask("GET", f"{path}/{way}?after=~")).code == "E_VALIDATION_INVALID_FORMAT"


async def test_who_joins_a_conversation_gets_what_is_said_from_then_on(docks):
    async with docks.open("alice", "bob", "carol", "dave") as (alice, bob, carol, dave):
        made = await alice.ask("POST", "/conversations", {"participants": ["bob", "carol"]})
        path = f"/conversations/{made.data['conversation']['id']}"
        assert (await dave.ask("POST", f"{path}/messages", {"content": "let me in"})).status == 404
        assert (await bob.ask("POST", f"{path}/participants", {"agentId": "dave"})).status == 200
        await dave.ask("POST", f"{path}/messages", {"content": "hello"})
        with anyio.fail_after(5):
            assert [len(await one.peek()) for one in (alice, bob, carol, dave)] == [1, 1, 1, 0]


async def test_a_pinned_message_is_seen_by_all_who_take_part(docks):
    async with docks.open("alice", "bob", "eve") as (alice, bob, eve):
        sent = [await alice.send("bob", text) for text in "12"]
        path = f"/messages/{sent[1]['id']}/pin"
        pins = f"/conversations/{sent[0]['conversationId']}/pins"
        for _ in range(2):
            assert (await alice.ask("POST", path)).data["pinned"] is True
        assert [one["id"] for one in (await bob.ask("GET", pins)).data["messages"]] == [sent[1]["id"]]
        assert [(await eve.ask(*said)).status for said in (("POST", path), ("DELETE", path), ("GET", pins))] == [
            404
        ] * 3
        assert (await bob.ask("DELETE", path)).data["pinned"] is False
        assert (await alice.ask("GET", pins)).data["messages"] == []
