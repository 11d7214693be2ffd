"""Nobody gets in who should not: over real sockets, what each way of trying is answered."""

from __future__ import annotations

import logging
import socket
from urllib.parse import urlsplit

import anyio
import pytest

import relaykit.relay
import relaykit.server
from relaykit.config import Config
from relaykit.errors import ConfigError, StoreError
from relaykit.relay.clock import SystemClock
from relaykit.relay.runfile import running
from relaykit.server import listening
from relaykit.server.binding import bind
from relaykit.server.connection import Connection
from relaykit.server.guard import MAX_BODY
from relaykit.server.listening import serving
from relaykit.server.origins import Address, Hosts, is_same_origin
from relaykit.server.passes import TOKEN_FILE, Caller, Passes, user_token
from relaykit.server.patience import Patient
from relaykit.server.quick import QuickConnection
from relaykit.server.rates import Bucket
from relaykit.testing.scripted import ALL, SECONDS

pytestmark = pytest.mark.anyio


@pytest.fixture(params=[Connection, QuickConnection])
def either_connection(request, monkeypatch):
    monkeypatch.setattr(listening, "connection_class", lambda *, quick: request.param)


async def test_the_relay_says_how_it_is_to_whoever_has_a_token(edge):
    async with edge.relay():
        for client, agents in ((edge.client(), None), (edge.person(), ["a"])):
            answer = await client("GET", "/health")
            assert (answer.status, answer.json["status"], answer.json.get("agents")) == (200, "ok", agents)


@pytest.mark.parity("AR-12")
@pytest.mark.parametrize("path", ["/mcp", "/hooks/Stop", "/health", "/nothing"])
@pytest.mark.parametrize(
    "given", [None, "", "Bearer", "Bearer ", "Bearer wrong", "Basic {}", "{}", "Bearer {}x", "Bearer \xff"]
)
async def test_without_a_good_token_every_path_is_closed(edge, path, given):
    async with edge.relay():
        client = edge.client()
        headers = {} if given is None else {"Authorization": given.format(client.token)}
        answer = await client("POST", path, b"{}", without=() if headers else ("Authorization",), **headers)
        assert answer.status == 401
        assert answer.headers["www-authenticate"] == "Bearer"
        assert client.token not in str(answer)


async def test_a_token_dies_with_its_session(edge):
    async with edge.relay("a", "b") as relay:
        old = edge.client("a")
        assert (await old("GET", "/health")).status == 200
        await relay.order("a", "restart")
        await edge.world.provider.opened(3)
        assert (await old("GET", "/health")).status == 401
        assert (await edge.client("b")("GET", "/health")).status == 200


@pytest.mark.parametrize(
    "host", ["evil.example", "evil.example:80", "127.0.0.1.evil.example", "", "127.0.0.1:x", "10.0.0.1"]
)
async def test_a_name_that_was_led_here_is_refused_even_with_a_token(edge, host):
    async with edge.relay():
        assert (await edge.client()("GET", "/health", Host=host)).status in (400, 421)


@pytest.mark.parametrize("origin", ["http://evil.example", "null", "http://localhost:1", "https://127.0.0.1"])
async def test_a_page_of_elsewhere_is_refused_even_with_a_token(edge, origin):
    async with edge.relay():
        assert (await edge.client()("GET", "/health", Origin=origin)).status == 403


async def test_a_page_of_its_own_and_the_name_localhost_are_let_through(edge):
    async with edge.relay():
        client = edge.client()
        place = urlsplit(client.url)
        assert (await client("GET", "/health", Origin=client.url)).status == 200
        assert (await client("GET", "/health", Host=f"localhost:{place.port}")).status == 200


@pytest.mark.usefixtures("either_connection")
async def test_two_headers_where_one_is_meant_are_refused(edge):
    async with edge.relay():
        client = edge.client()
        headers = [("Host", urlsplit(client.url).netloc), *[("Authorization", f"Bearer {client.token}")] * 2]
        answer = await edge.exchange(client.url, edge.request("GET", "/health", headers))
        assert answer.status == 400


@pytest.mark.usefixtures("either_connection")
async def test_what_is_too_large_is_refused_before_it_is_read(edge):
    async with edge.relay():
        client = edge.client()
        headers = [("Host", urlsplit(client.url).netloc), ("Authorization", f"Bearer {client.token}")]
        said = edge.request("POST", "/mcp", headers).replace(
            b"Content-Length: 0", f"Content-Length: {MAX_BODY + 1}".encode()
        )
        answer = await edge.exchange(client.url, said)
        assert answer.status == 413


@pytest.mark.usefixtures("either_connection")
async def test_what_does_not_say_its_size_is_counted(edge):
    async with edge.relay():
        client = edge.client()
        lines = ["POST /mcp HTTP/1.1", f"Host: {urlsplit(client.url).netloc}", f"Authorization: Bearer {client.token}"]
        head = "\r\n".join([*lines, "Transfer-Encoding: chunked", "", ""]).encode()
        piece = b"10000\r\n" + b" " * 0x10000 + b"\r\n"
        place = urlsplit(client.url)
        with anyio.fail_after(SECONDS):
            async with await anyio.connect_tcp(place.hostname, place.port) as stream:
                await stream.send(head + piece * (MAX_BODY // 0x10000) + b"1\r\n \r\n")
                assert (await edge.read_answer(stream)).status == 413


@pytest.mark.usefixtures("either_connection")
async def test_headers_without_end_are_refused(edge):
    async with edge.relay():
        client = edge.client()
        answer = await edge.exchange(client.url, b"GET / HTTP/1.1\r\nX: " + b"x" * 100_000)
        assert answer.status in (400, 431)


@pytest.mark.usefixtures("either_connection")
async def test_headers_without_end_are_refused_after_large_requests_too(edge):
    async with edge.relay():
        client = edge.client()
        place = urlsplit(client.url)
        headers = [("Host", place.netloc), ("Authorization", f"Bearer {client.token}")]
        with anyio.fail_after(SECONDS):
            async with await anyio.connect_tcp(place.hostname, place.port) as stream:
                for _ in range(3):
                    await stream.send(edge.request("POST", "/nothing", headers, b" " * 100_000))
                    assert (await edge.read_answer(stream)).status == 404
                await stream.send(b"GET /health HTTP/1.1\r\n" + b"X: y\r\n" * 20_000)
                assert (await edge.read_answer(stream)).status in (400, 431)


def test_answers_are_not_held_back_until_the_client_says_that_it_had_the_last_piece():
    bound, _ = bind(Address("127.0.0.1", 0))
    with bound:  # asyncio gives TCP_NODELAY to the connections of such a socket alone
        assert bound.proto == socket.IPPROTO_TCP


@pytest.mark.usefixtures("either_connection")
@pytest.mark.parametrize("said", [b"", b"GET /health HTTP/1.1\r\nHost: x"])
async def test_who_connects_and_does_not_say_what_it_wants_is_hung_up_on(monkeypatch, said):
    monkeypatch.setattr(Patient, "header_seconds", 0.2)
    bound, address = bind(Address("127.0.0.1", 0))

    async def nobody(_scope, _receive, _send):
        raise AssertionError

    with anyio.fail_after(SECONDS):
        async with serving(nobody, bound), await anyio.connect_tcp(address.host, address.port) as stream:
            if said:
                await stream.send(said)
            with pytest.raises(anyio.EndOfStream):
                await stream.receive()


@pytest.mark.usefixtures("either_connection")
async def test_a_connection_serves_several_requests(edge):
    async with edge.relay():
        client = edge.client()
        place = urlsplit(client.url)
        headers = [("Host", place.netloc), ("Authorization", f"Bearer {client.token}")]
        with anyio.fail_after(SECONDS):
            async with await anyio.connect_tcp(place.hostname, place.port) as stream:
                for _ in range(3):
                    await stream.send(edge.request("GET", "/health", headers))
                    assert (await edge.read_answer(stream)).status == 200


async def test_who_comes_too_often_is_slowed_down_and_nobody_else(edge):
    async with edge.relay("a", "b"):
        eager = edge.client("a")
        statuses = [(await eager("GET", "/health")).status for _ in range(100)]
        assert (statuses[0], statuses[-1]) == (200, 429)
        assert (await edge.client("b")("GET", "/health")).status == 200


async def test_guessing_slows_down_who_guesses_alone(edge):
    async with edge.relay():
        client = edge.client()
        statuses = [(await client("GET", "/health", Authorization="Bearer guess")).status for _ in range(40)]
        assert (statuses[0], statuses[-1]) == (401, 429)
        assert (await client("GET", "/health")).status == 200


async def test_a_port_that_is_taken_is_one_clear_line(edge):
    async with edge.relay():
        taken = urlsplit(edge.client().url).netloc
        with pytest.raises(ConfigError, match=f"relay.listen: {taken} cannot be listened on .*choose another port"):
            async with edge.world.relay(edge.world.agent("c"), edge=edge.listening(taken)):
                raise AssertionError


async def test_a_relay_whose_agents_use_no_tools_does_not_listen(edge):
    edge.capabilities = ALL
    async with edge.relay():
        assert edge.sessions["a"].request.endpoint is None
        assert not (edge.world.home / TOKEN_FILE).exists()


async def test_a_configured_address_is_listened_on_whatever_the_agents_can(edge):
    edge.capabilities = ALL
    async with edge.relay(listen="localhost:0"):
        (info,) = edge.infos()
        assert info["url"].startswith("http://localhost:")


async def test_an_address_that_others_reach_wants_tokens_too_and_is_reported(edge):
    async with edge.relay(listen="0.0.0.0:0"):
        client = edge.client()
        assert client.url.startswith("http://127.0.0.1:")
        assert (await client("GET", "/health", Host="192.168.1.7:1")).status == 200
        assert (await client("GET", "/health", Host="evil.example")).status == 421
        assert (await client("GET", "/health", without=("Authorization",))).status == 401
    assert any("others can reach it" in line for line in edge.world.reports)


@pytest.mark.parity("AR-17")
async def test_the_file_of_a_relay_says_where_it_listens_and_is_gone_with_it(edge):
    async with edge.relay("a", "b"):
        (path,) = edge.files()
        assert path.stat().st_mode & 0o777 == 0o600
        (info,) = edge.infos()
        assert (info["url"], info["agents"]) == (edge.client().url, ["a", "b"])
        assert edge.client().token not in path.read_text()
    assert edge.files() == []


async def test_no_token_is_in_what_is_logged_reported_or_shown(edge, caplog):
    caplog.set_level(logging.DEBUG)
    async with edge.relay():
        client, person = edge.client(), edge.person()
        for path in ("/health", "/mcp", "/nothing"):
            await client("GET", path)
        await client("POST", "/mcp", b"no json")
        shown = repr(edge.sessions["a"].request) + caplog.text + "".join(edge.world.reports)
        assert client.token not in shown
        assert person.token not in shown


async def test_a_relay_that_cannot_listen_does_not_pass_over_that_it_shall(tmp_path):
    config = Config(home=tmp_path, listen="127.0.0.1:4870")
    with pytest.raises(ConfigError, match=r"relaykit\.server\.open"):
        async with relaykit.relay.open(config):
            raise AssertionError


async def test_a_program_that_embeds_a_relay_can_have_it_listen(tmp_path):
    config = Config(home=tmp_path, listen="127.0.0.1:0")
    async with relaykit.server.open(config):
        (info,) = running(tmp_path, SystemClock().boot_id())
        assert info.url is not None
        assert info.url.startswith("http://127.0.0.1:")


def test_the_persons_token_is_made_once_and_is_the_owners_alone(tmp_path):
    token = user_token(tmp_path / "home")
    path = tmp_path / "home" / TOKEN_FILE
    assert path.stat().st_mode & 0o777 == 0o600
    assert user_token(tmp_path / "home") == token
    assert [one.name for one in path.parent.iterdir()] == [TOKEN_FILE]
    path.chmod(0o644)
    with pytest.raises(StoreError, match="others can read the token"):
        user_token(tmp_path / "home")
    path.chmod(0o600)
    path.write_text("short")
    with pytest.raises(StoreError, match="holds no token"):
        user_token(tmp_path / "home")


def test_a_pass_is_good_while_it_is_held():
    passes, caller = Passes(), Caller(name="a", is_agent=True)
    with passes.admit(caller) as token, passes.admit(Caller(name="b", is_agent=True)) as other:
        assert passes.caller(token.reveal().encode()) is caller
        assert token != other
        assert passes.caller(b"") is None
    assert passes.caller(token.reveal().encode()) is None


def test_a_bucket_fills_again():
    now = [0.0]
    bucket = Bucket(2.0, 3.0, lambda: now[0])
    assert [bucket.take() for _ in range(4)] == [0, 0, 0, 0.5]
    now[0] = 0.5
    assert [bucket.take(), bucket.take()] == [0, 0.5]
    now[0] = 100.0
    assert [bucket.take() for _ in range(4)] == [0, 0, 0, 0.5]


@pytest.mark.parametrize(
    ("text", "url", "loopback"),
    [
        ("auto", "http://127.0.0.1:0", True),
        ("127.0.0.1:4870", "http://127.0.0.1:4870", True),
        ("[::1]:4870", "http://[::1]:4870", True),
        ("localhost:1", "http://localhost:1", True),
        ("0.0.0.0:80", "http://127.0.0.1:80", False),
        ("box.example:80", "http://box.example:80", False),
    ],
)
def test_an_address_is_taken_apart(text, url, loopback):
    address = Address.parse(text)
    assert (address.url, address.is_loopback) == (url, loopback)


def test_loopback_knows_loopbacks_names_alone():
    hosts = Hosts(Address("127.0.0.1", 4870))
    assert all(map(hosts.know, (b"127.0.0.1:4870", b"localhost", b"LOCALHOST:1", b"[::1]:4870")))
    assert not any(
        map(hosts.know, (b"192.168.0.1", b"localhost.evil.example", b"", b"a b", b"[::1", b"127.0.0.1:123456"))
    )
    assert is_same_origin(b"HTTP://localhost:1", b"localhost:1")
    assert not is_same_origin(b"http://localhost:1.evil.example", b"localhost:1")
