"""What CLEO's client 2026.4.11 sends, byte by byte, and the fields that it reads of the answers.

The client's HTTP library adds the headers of ``FETCH``; its streams come from an EventSource. Ids stand in paths as they
are.
"""

from __future__ import annotations

from datetime import datetime

import anyio
import pytest

from relaykit.cli.lending import Lending
from relaykit.model import Agent

pytestmark = [pytest.mark.anyio, pytest.mark.parity("CR-10", "CR-11")]

FETCH = (
    "host: HOST\r\nconnection: close\r\n{headers}accept: */*\r\naccept-language: *\r\nsec-fetch-mode: cors\r\n"
    "user-agent: node\r\naccept-encoding: gzip, deflate\r\n"
)
EVENT_SOURCE = (
    "GET /messages/stream?token={key}&agent_id={agent} HTTP/1.1\r\nhost: HOST\r\nconnection: keep-alive\r\n"
    "accept: text/event-stream\r\naccept-language: *\r\nsec-fetch-mode: cors\r\nuser-agent: undici\r\n"
    "accept-encoding: gzip, deflate\r\npragma: no-cache\r\ncache-control: no-cache\r\n\r\n"
)


class Cleo:
    """The client, call by call."""

    def __init__(self, client):
        self.client = client
        self.id = client.agent

    async def call(self, method, path, body=None, *, typed=True):
        """Send as its ``fetch`` does; ``typed``: it says that it sends JSON, even where it sends nothing."""
        headers = f"Authorization: Bearer {self.client.key}\r\nX-Agent-Id: {self.id}\r\n"
        headers += "Content-Type: application/json\r\n" if typed else ""
        raw = b"" if body is None else body.encode()
        length = f"content-length: {len(raw)}\r\n" if body is not None or method in ("POST", "PUT") else ""
        head = f"{method} {path} HTTP/1.1\r\n{FETCH.format(headers=headers)}{length}\r\n"
        return await self.client.raw(head.encode() + raw)

    async def push(self, to, content):
        return await self.call("POST", "/messages", f'{{"content":"{content}","toAgentId":"{to}"}}')


@pytest.fixture
async def pair(docks):
    async with docks.open("alice", "bob") as clients:
        yield [Cleo(one) for one in clients]


def read_message(row):
    """What ``poll`` makes of a row."""
    assert datetime.fromisoformat(row["createdAt"])
    return row["id"], row["fromAgentId"], row["content"], row["conversationId"]


async def test_1_health_without_a_key(pair):
    answer = await pair[0].client.raw(b"GET /health HTTP/1.1\r\n" + FETCH.format(headers="").encode() + b"\r\n")
    assert answer.status == 200


async def test_2_push(pair):
    alice, bob = pair
    answer = await alice.push("bob", "hello")
    assert 200 <= answer.status < 300
    assert answer.json["success"] is True
    message = answer.json["data"]["message"]
    assert (message["toAgentId"], bool(message["conversationId"])) == ("bob", True)
    (row,) = (await bob.call("GET", "/messages/peek")).json["data"]["messages"]
    assert read_message(row) == (message["id"], "alice", "hello", message["conversationId"])


async def test_2_heartbeat_of_the_conduit_client(pair):
    alice, bob = pair
    assert (await alice.push("alice", "")).json["data"]["message"]["id"]
    assert (await alice.call("GET", "/messages/peek")).json["data"]["messages"] == []
    assert (await bob.call("GET", "/agents/alice", typed=False)).json["data"]["agent"]["status"] == "online"


@pytest.mark.parametrize("over_sse", [False, True])
async def test_3_push_into_a_conversation(pair, over_sse):
    alice, bob = pair
    first = (await alice.push("bob", "hello")).json["data"]["message"]
    conversation = first["conversationId"]
    to = f',"toAgentId":"{conversation}"' if over_sse else ""
    body = f'{{"content":"back","replyTo":"{first["id"]}"{to}}}'
    answer = await bob.call("POST", f"/conversations/{conversation}/messages", body)
    assert 200 <= answer.status < 300
    (row,) = (await alice.call("GET", "/messages/peek")).json["data"]["messages"]
    assert read_message(row)[1:] == ("bob", "back", conversation)


async def test_4_poll_with_limit_and_since(pair):
    alice, bob = pair
    sent = [(await alice.push("bob", f"{number}")).json["data"]["message"] for number in range(3)]
    rows = (await bob.call("GET", "/messages/peek?limit=2&since=2026-01-01T00:00:00.000Z")).json["data"]["messages"]
    assert [read_message(row)[0] for row in rows] == [one["id"] for one in sent[:2]]
    rows = (await bob.call("GET", f"/messages/peek?since={sent[0]['id']}")).json["data"]["messages"]
    assert [row["id"] for row in rows] == [one["id"] for one in sent[1:]]


async def test_4b_the_fallback_of_the_stream_sees_direct_messages(pair):
    alice, bob = pair
    await alice.push("bob", "no name in it")
    rows = (await bob.call("GET", "/messages/peek?mentioned=bob&limit=50")).json["data"]["messages"]
    assert [row["content"] for row in rows] == ["no name in it"]


async def test_4c_the_runtime_in_rust(pair):
    alice, bob = pair
    await alice.push("bob", "hello")
    head = f"GET /messages/peek?limit=50 HTTP/1.1\r\nhost: HOST\r\nauthorization: Bearer {bob.client.key}\r\nx-agent-id: bob\r\n"
    answer = await bob.client.raw(f"{head}user-agent: signaldock-runtime/0.7.0 (bob)\r\naccept: */*\r\n\r\n".encode())
    (row,) = answer.json["data"]["messages"]
    assert (row["fromAgentName"], row["contentType"]) == ("alice", "text")


async def test_5_acknowledge_with_ids_that_nobody_knows(pair):
    alice, bob = pair
    sent = (await alice.push("bob", "hello")).json["data"]["message"]["id"]
    answer = await bob.call("POST", "/messages/ack", f'{{"messageIds":["sse-1700000000000","{sent}"]}}')
    assert 200 <= answer.status < 300
    assert (await bob.call("GET", "/messages/peek")).json["data"]["messages"] == []


async def test_6_the_group_track_of_the_poller(docks):
    async with docks.open("alice", "bob", "carol") as clients:
        made = await clients[0].ask("POST", "/conversations", {"participants": ["bob", "carol"]})
        group = made.data["conversation"]["id"]
        alice, bob, _ = (Cleo(one) for one in clients)
        for text in ("one", "@bob two"):
            await alice.call("POST", f"/conversations/{group}/messages", f'{{"content":"{text}"}}')
        rows = (await bob.call("GET", f"/conversations/{group}/messages?sort=desc&limit=15")).json["data"]["messages"]
        assert [read_message(row)[2] for row in rows] == ["@bob two", "one"]


async def test_7_the_stream_with_the_key_in_its_address(pair):
    alice, bob = pair
    await alice.push("bob", "before")
    request = EVENT_SOURCE.format(key=bob.client.key, agent="bob").encode()
    with anyio.fail_after(20):
        async with bob.client.stream(raw=request) as stream:
            await alice.push("bob", "now")
            for expected in ("before", "now"):
                frame = await stream.message()
                data = frame["data"]
                assert (data["id"], data["from_agent_id"], data["content"]) == (frame["id"], "alice", expected)
                assert data["conversation_id"]
                assert datetime.fromisoformat(data["created_at"])
                assert data.get("type") not in ("heartbeat", "ping")


async def test_8_heartbeat(pair):
    assert 200 <= (await pair[0].call("POST", "/agents/alice/heartbeat", '{"status":"online"}')).status < 300


async def test_9_rotation_without_body_or_type(pair):
    alice, _ = pair
    key = (await alice.call("POST", "/agents/alice/rotate-key", typed=False)).json["data"]["apiKey"]
    assert key.startswith("sk_live_")
    assert key != alice.client.key
    assert (await alice.call("GET", "/messages/peek")).status == 200  # what still has the old key goes on for a while


async def test_10_status(pair):
    alice, bob = pair
    for word in ("online", "offline"):
        assert (await alice.call("PUT", "/agents/alice/status", f'{{"status":"{word}"}}')).status == 200
        assert (await bob.call("GET", "/agents/alice", typed=False)).json["data"]["agent"]["status"] == word


async def test_11_claim_code(pair):
    data = (await pair[0].call("POST", "/agents/alice/claim-code", typed=False)).json["data"]
    assert data["claimCode"]
    assert data["claimUrl"]
    assert datetime.fromisoformat(data["expiresAt"])


async def test_12_inbox(pair):
    alice, bob = pair
    conversation = (await alice.push("bob", "@bob hello")).json["data"]["message"]["conversationId"]
    data = (await bob.call("GET", "/agents/bob/inbox", typed=False)).json["data"]
    assert (data["unreadTotal"], len(data["actionItems"])) == (1, 1)
    assert data["conversations"] == [{"conversationId": conversation, "unreadCount": 1}]


async def test_13_is_online_of_an_agent_of_a_relay_and_of_nobody(pair):
    alice, _ = pair
    async with Lending("test").mailbox() as mailbox:
        await mailbox.claim(Agent(id="worker", provider="echo", cwd="/"), "a relay")
    assert (await alice.call("GET", "/agents/worker", typed=False)).json["data"]["agent"]["status"] == "offline"
    assert (await alice.call("GET", "/agents/nobody", typed=False)).status == 404


async def test_a_wrong_key_is_refused_in_the_envelope(pair):
    alice, _ = pair
    alice.client.key = "sk_live_" + "0" * 64
    answer = await alice.push("bob", "x")
    assert (answer.status, answer.json["success"], answer.json["error"]["code"]) == (401, False, "E_AUTH_UNAUTHORIZED")
