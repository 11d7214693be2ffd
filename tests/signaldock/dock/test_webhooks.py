"""Webhooks: what waits for an agent is posted to its endpoint, signed, in order, until that takes it."""

from __future__ import annotations

import hmac
import json
import signal
import threading
from contextlib import asynccontextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import anyio
import httpx
import pytest
from msgspec.structs import replace

from relaykit.cli.lending import Lending
from relaykit.testing.program import Output, Program
from relaykit_signaldock.dock import webhooks
from relaykit_signaldock.dock.endpoints import Reach
from relaykit_signaldock.dock.sqlite_store import open_store
from relaykit_signaldock.dock.webhooks import ATTEMPTS

pytestmark = pytest.mark.parity("CR-11")
SECONDS = 20


class Endpoint:
    """Someone's server: says what it is told to say, and well after that."""

    def __init__(self):
        self.answers = []
        self.got = []
        self._changed = threading.Condition()

    def answer(self, headers, body):
        with self._changed:
            self.got.append((headers, body))
            self._changed.notify_all()
            return self.answers.pop(0) if self.answers else 204

    def until(self, count):
        """Return what came, once it is that much."""
        with self._changed:
            assert self._changed.wait_for(lambda: len(self.got) >= count, SECONDS), self.got
            return list(self.got)

    def bodies(self):
        return [json.loads(body)["data"]["content"] for _, body in self.got]


@pytest.fixture
def endpoint():
    found = Endpoint()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self):  # the name that the library calls
            body = self.rfile.read(int(self.headers["Content-Length"]))
            code = found.answer(dict(self.headers), body)
            self.send_response(code)
            if code == 302:
                self.send_header("Location", f"http://127.0.0.1:{server.server_port}/elsewhere")
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_):
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        found.url = f"http://127.0.0.1:{server.server_port}/hook?of=bob"
        yield found
        server.shutdown()
        thread.join(SECONDS)


@pytest.fixture
def quick(monkeypatch):
    monkeypatch.setattr(webhooks, "FIRST_SECONDS", 0.01)


async def until(client, path, holds):
    with anyio.fail_after(SECONDS):
        while not holds(found := (await client.ask("GET", path)).data):
            await anyio.lowlevel.checkpoint()
        return found


async def came(endpoint, count):
    return await anyio.to_thread.run_sync(endpoint.until, count)


@pytest.mark.anyio
async def test_a_message_is_posted_signed_and_acknowledged(docks, endpoint):
    async with docks.open("alice", "bob", webhooks=Reach.LOCAL) as (alice, bob):
        early = await alice.send("bob", "waits already")
        answer = await bob.ask("PUT", "/agents/bob", {"endpoint": endpoint.url})
        secret = answer.data["webhookSecret"]
        sent = await alice.send("bob", "hello")
        (_, first), (headers, body) = await came(endpoint, 2)
        assert json.loads(first)["data"]["messageId"] == early["id"]
        said = json.loads(body)
        assert (said["event"], said["data"]["messageId"], said["data"]["content"]) == (
            "message.received",
            sent["id"],
            "hello",
        )
        assert (said["data"]["from"], said["data"]["conversationId"]) == (
            {"agentId": "alice", "name": "alice"},
            sent["conversationId"],
        )
        at = headers["X-SignalDock-Timestamp"]
        wanted = hmac.new(secret.encode(), body + at.encode(), "sha256").hexdigest()
        assert headers["X-SignalDock-Signature"] == f"sha256={wanted}"
        assert headers["User-Agent"] == "SignalDock-Webhook/1.0"
        assert endpoint.url.startswith(f"http://{headers['Host']}/")
        await until(bob, "/messages/peek", lambda data: data["messages"] == [])
        assert secret not in (await bob.ask("GET", "/agents/bob")).body.decode(), "it is shown once"
        again = await bob.ask("PUT", "/agents/bob", {"endpoint": endpoint.url, "webhookSecret": "of my own"})
        assert "webhookSecret" not in again.data


@pytest.mark.anyio
async def test_what_is_not_taken_is_tried_again_in_order_and_what_is_refused_is_a_dead_letter(docks, endpoint, quick):
    endpoint.answers = [500, 503, 204, 404, 204]
    async with docks.open("alice", "bob", webhooks=Reach.LOCAL) as (alice, bob):
        await bob.ask("PUT", "/agents/bob", {"endpoint": endpoint.url, "webhookSecret": "s"})
        sent = [await alice.send("bob", text) for text in ("first", "refused", "third")]
        got = await came(endpoint, 5)
        assert endpoint.bodies() == ["first", "first", "first", "refused", "third"]
        assert len({headers["X-SignalDock-Delivery-Id"] for headers, _ in got[:3]}) == 1
        found = await until(bob, "/agents/bob/dead-letters", lambda data: data["deadLetters"])
        (letter,) = found["deadLetters"]
        assert (letter["messageId"], letter["attempts"], found["endpoint"]) == (sent[1]["id"], 1, endpoint.url)
        assert "answered 404" in letter["reason"]
        left = await until(bob, "/messages/peek", lambda data: len(data["messages"]) == 1)
        assert left["messages"][0]["id"] == sent[1]["id"], "it can still be polled"
        assert (await bob.ask("POST", f"/agents/bob/dead-letters/{sent[1]['id']}/retry")).data["queued"]
        await until(bob, "/messages/peek", lambda data: data["messages"] == [])
        assert endpoint.bodies()[5:] == ["refused"]
        assert (await bob.ask("POST", f"/agents/bob/dead-letters/{sent[1]['id']}/retry")).status == 404
        assert (await alice.ask("GET", "/agents/bob/dead-letters")).status == 403


@pytest.mark.anyio
async def test_an_endpoint_that_never_takes_it_is_given_up_and_a_redirect_is_not_followed(docks, endpoint, quick):
    endpoint.answers = [500] * ATTEMPTS + [302]
    async with docks.open("alice", "bob", webhooks=Reach.LOCAL) as (alice, bob):
        await bob.ask("PUT", "/agents/bob", {"endpoint": endpoint.url})
        await alice.send("bob", "never")
        await alice.send("bob", "elsewhere")
        found = await until(bob, "/agents/bob/dead-letters", lambda data: len(data["deadLetters"]) == 2)
        assert [letter["attempts"] for letter in found["deadLetters"]] == [1, ATTEMPTS]
        assert "answered 302" in found["deadLetters"][0]["reason"]
        assert len(endpoint.got) == ATTEMPTS + 1
        await bob.ask("PUT", "/agents/bob", {"endpoint": ""})
        await alice.send("bob", "polled")
        assert [message["content"] for message in await bob.peek()] == ["never", "elsewhere", "polled"]
    assert len(endpoint.got) == ATTEMPTS + 1


@pytest.mark.anyio
async def test_an_endpoint_whose_answer_comes_byte_by_byte_is_given_up_and_holds_nobody_up(
    docks, endpoint, quick, monkeypatch
):
    monkeypatch.setattr(webhooks, "ANSWER_SECONDS", 0.2)
    monkeypatch.setattr(webhooks, "_AT_ONCE", 1)
    async with (
        dribbling() as url,
        docks.open("alice", "bob", "mallory", webhooks=Reach.LOCAL) as (alice, bob, mallory),
    ):
        await mallory.ask("PUT", "/agents/mallory", {"endpoint": url})
        await bob.ask("PUT", "/agents/bob", {"endpoint": endpoint.url})
        await alice.send("mallory", "never")
        await alice.send("bob", "in between")
        await came(endpoint, 1)
        found = await until(mallory, "/agents/mallory/dead-letters", lambda data: data["deadLetters"])
        (letter,) = found["deadLetters"]
        assert (letter["attempts"], letter["reason"]) == (ATTEMPTS, f"{url} did not answer within 0.2 s")


@asynccontextmanager
async def dribbling():
    """Someone's server whose headers have no end, a byte of them often enough; yield its URL."""

    async def handle(stream):
        async with stream:
            with suppress(anyio.BrokenResourceError):
                await stream.send(b"HTTP/1.1 200 OK\r\nX-Slow: ")
                while True:
                    await stream.send(b"x")
                    with anyio.move_on_after(0.02):
                        await anyio.sleep_forever()

    async with await anyio.create_tcp_listener(local_host="127.0.0.1") as listener, anyio.create_task_group() as tasks:
        tasks.start_soon(listener.serve, handle)
        yield f"http://127.0.0.1:{listener.extra(anyio.abc.SocketAttribute.local_port)}/"
        tasks.cancel_scope.cancel()


@pytest.mark.anyio
async def test_whoever_is_on_a_stream_gets_it_there(docks, endpoint):
    async with docks.open("alice", "bob", webhooks=Reach.LOCAL) as (alice, bob):
        async with bob.stream() as stream:
            await bob.ask("PUT", "/agents/bob", {"endpoint": endpoint.url})
            sent = await alice.send("bob", "by the stream")
            assert (await stream.message())["id"] == sent["id"]
            await bob.ack(sent["id"])
        await alice.send("bob", "by the webhook")
        await came(endpoint, 1)
    assert endpoint.bodies() == ["by the webhook"]


@pytest.mark.anyio
async def test_by_default_a_dock_calls_nothing_near_it(docks, endpoint):
    async with docks.open("alice", "bob") as (_, bob):
        answer = await bob.ask("PUT", "/agents/bob", {"endpoint": endpoint.url})
        assert (answer.status, answer.json["error"]["code"]) == (400, "E_VALIDATION_CONSTRAINT")
        assert "https://" in answer.json["error"]["message"]


@pytest.mark.anyio
@pytest.mark.parametrize("stored", ["http://127.0.0.1:99999/", "https://xn--a/", "http://127.0.0.1:x/"])
async def test_an_endpoint_that_cannot_be_called_however_it_was_stored_ends_nothing_but_its_own_post(
    docks, endpoint, capsys, stored
):
    async with docks.open("alice", "bob", "mallory", webhooks=Reach.LOCAL) as (alice, bob, mallory):
        with open_store(Lending("dock").home) as store:
            store.update(replace(store.agent("mallory"), endpoint=stored, secret="s"))
        await bob.ask("PUT", "/agents/bob", {"endpoint": endpoint.url})
        sent = await alice.send("mallory", "never")
        found = await until(mallory, "/agents/mallory/dead-letters", lambda data: data["deadLetters"])
        (letter,) = found["deadLetters"]
        assert (letter["messageId"], letter["attempts"]) == (sent["id"], 1)
        assert f"{stored} cannot be called" in letter["reason"]
        assert f"a message to mallory is a dead letter: {stored}" in capsys.readouterr().err
        await alice.send("bob", "as ever")
        await came(endpoint, 1)
        assert [message["content"] for message in await mallory.peek()] == ["never"], "it can still be polled"
    assert endpoint.bodies() == ["as ever"]


@pytest.mark.faults
def test_a_dock_that_is_killed_while_an_endpoint_refuses_posts_again(tmp_path, endpoint):
    program = Program(home=tmp_path / "home", cwd=tmp_path)
    words = ("dock", "serve", "--listen", "127.0.0.1:0", "--webhooks", "local", "--json")
    key = program("dock", "agents", "add", "bob", "--json").json["apiKey"]
    endpoint.answers = [500]
    with program.start(*words) as process:
        place = json.loads(Output(process).line())["url"]
        named = curl(place, key, "PUT", "/agents/bob", {"endpoint": endpoint.url, "webhookSecret": "s"})
        assert named["success"], named
        program.send("bob", "once more")
        endpoint.until(1)
        process.send_signal(signal.SIGKILL)
        process.wait(SECONDS)
    with program.start(*words) as process:
        place = json.loads(Output(process).line())["url"]
        (first, _), (second, _) = endpoint.until(2)
        assert first["X-SignalDock-Delivery-Id"] == second["X-SignalDock-Delivery-Id"]
        program.until(lambda: curl(place, key, "GET", "/messages/peek")["data"]["messages"] == [])
    assert endpoint.bodies() == ["once more", "once more"]


def curl(place, key, method, path, body=None):
    headers = {"Authorization": f"Bearer {key}"}
    return httpx.request(method, f"{place}{path}", json=body, headers=headers, timeout=SECONDS).json()
