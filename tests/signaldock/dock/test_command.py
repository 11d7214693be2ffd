"""``relaykit dock`` as a process: served, looked after, killed."""

from __future__ import annotations

import http.client
import json
import signal
import ssl
import subprocess
import sys
from contextlib import ExitStack, closing, contextmanager
from itertools import count
from threading import Event, Thread

import pytest

from relaykit.testing.program import Output, Program

pytestmark = pytest.mark.parity("CR-11")
SECONDS = 30


@pytest.fixture
def program(tmp_path):
    return Program(home=tmp_path / "home", cwd=tmp_path)


@contextmanager
def serving(program, *words):
    """Run a dock; yield its process and its address."""
    with program.start("dock", "serve", "--listen", "127.0.0.1:0", "--rate", "0", "--json", *words) as process:
        ready = json.loads(Output(process).line())
        assert ready["event"] == "ready"
        yield process, ready["url"].rpartition("/")[2]


def added(program, name, *words):
    done = program("dock", "agents", "add", name, "--json", *words)
    assert done.code == 0, done
    return done.json["apiKey"]


class Caller:
    """An HTTP client that keeps its connection."""

    def __init__(self, connection, key):
        self.connection = connection
        self.key = key

    def ask(self, method, path, body=None, **headers):
        headers = {"Authorization": f"Bearer {self.key}", **headers}
        self.connection.request(method, path, None if body is None else json.dumps(body), headers)
        answer = self.connection.getresponse()
        return answer.status, json.loads(answer.read())

    def data(self, *said, **headers):
        status, document = self.ask(*said, **headers)
        assert document["success"], (status, document)
        return document["data"]


@pytest.fixture
def connect():
    """Make connections that are closed at the end."""
    with ExitStack() as stack:

        def connected(place, kind=http.client.HTTPConnection, **more):
            return stack.enter_context(closing(kind(place, timeout=SECONDS, **more)))

        yield connected


@pytest.fixture
def caller(connect):
    return lambda place, key: Caller(connect(place), key)


def test_a_person_sends_to_an_agent_of_the_dock_and_is_answered(program, caller):
    key = added(program, "alice")
    with serving(program) as (_, place):
        alice = caller(place, key)
        program.send("alice", "are you there?")
        (seen,) = alice.data("GET", "/messages/peek")["messages"]
        assert (seen["fromAgentId"], seen["content"]) == ("user", "are you there?")
        path = f"/conversations/{seen['conversationId']}/messages"
        alice.data("POST", path, {"content": "I am", "replyTo": seen["id"]})
        alice.data("POST", f"/messages/{seen['id']}/ack")
        trace = program("trace", seen["id"], "--json").json
        assert trace["deliveries"][0]["state"] == "acknowledged"
        assert "I am" in program("inbox").out
        assert "alice" in program("agents").out


def test_an_agent_of_the_dock_asks_an_agent_of_a_relay(program, caller):
    key = added(program, "alice")
    with serving(program) as (_, place), program.relay("--provider", "echo"):
        alice = caller(place, key)
        sent = alice.data("POST", "/messages", {"toAgentId": "echo", "content": "hello"})["message"]

        def answered():
            return alice.data("GET", "/messages/peek")["messages"]

        (answer,) = program.until(answered)
        assert (answer["content"], answer["replyTo"]) == ("echo: hello", sent["id"])
        assert answer["conversationId"] == sent["conversationId"]


@pytest.mark.parametrize("mode", ["sse", "http"])
def test_a_relay_elsewhere_joins_by_its_transport(program, caller, tmp_path, mode):
    alice_key, bob_key = added(program, "alice"), added(program, "bob")
    far = tmp_path / "far"
    far.mkdir()
    elsewhere = Program(home=far / "home", cwd=far, env={"RELAYKIT_CREDENTIAL_DOCK": bob_key})
    with serving(program) as (_, place):
        (far / "relaykit.toml").write_text(
            f"""
            [agents.worker]
            provider = "echo"
            [transports.dock]
            use = "signaldock"
            url = "http://{place}"
            agent = "bob"
            credential = "dock"
            deliver_to = "worker"
            mode = "{mode}"
            poll_seconds = 0.1
            """
        )
        alice = caller(place, alice_key)
        sent = alice.data("POST", "/messages", {"toAgentId": "bob", "content": "hello"})["message"]
        with elsewhere.relay():
            answer = program.until(lambda: alice.data("GET", "/messages/peek")["messages"])[0]
            assert (answer["fromAgentId"], answer["content"]) == ("bob", "echo: hello")
            assert (answer["conversationId"], answer["replyTo"]) == (sent["conversationId"], sent["id"])
            alice.data("POST", f"/messages/{answer['id']}/ack")
            out = elsewhere.ended(elsewhere.send("alice@dock", "from far away"))
            assert out["alice@dock"]["state"] == "acknowledged"
            (row,) = alice.data("GET", "/messages/peek")["messages"]
            assert (row["fromAgentId"], row["content"]) == ("bob", "from far away")
            assert alice.data("GET", "/agents/bob")["agent"]["status"] == "online"
        assert alice.data("GET", "/agents/bob")["agent"]["status"] == "offline"


@pytest.mark.parity("AR-2")
def test_one_command_line_puts_an_agent_on_a_dock_elsewhere_its_key_by_name_alone(program, caller, tmp_path):
    alice_key, bob_key = added(program, "alice"), added(program, "bob")
    far = tmp_path / "far"
    far.mkdir()
    (far / "relaykit.toml").write_text('[credentials]\nuse = "file"\n')
    elsewhere = Program(home=far / "home", cwd=far)
    kept = ("credentials", "set", "dock", "--kind", "signaldock", "--field", "agentId=bob")
    assert elsewhere(*kept, stdin=bob_key).code == 0
    with serving(program) as (_, place):
        alice = caller(place, alice_key)
        alice.data("POST", "/messages", {"toAgentId": "bob", "content": "hello"})
        words = ("--provider", "echo", "--agent", "bob", "--transport", f"signaldock=http://{place}")
        with elsewhere.relay(*words, "--credential", "dock"):
            answer = program.until(lambda: alice.data("GET", "/messages/peek")["messages"])[0]
            assert (answer["fromAgentId"], answer["content"]) == ("bob", "echo: hello")


def test_agents_and_keys_are_looked_after_while_the_dock_runs(program, caller):
    with serving(program) as (_, place):
        first = caller(place, added(program, "alice", "--cap", "python"))
        assert first.ask("GET", "/messages/peek")[0] == 200
        assert "alice  offline  0 waiting" in program("dock", "agents").out
        assert program("dock", "agents", "add", "alice").code == 4
        second = caller(place, program("dock", "keys", "reset", "alice").out.strip())
        assert (first.ask("GET", "/messages/peek")[0], second.ask("GET", "/messages/peek")[0]) == (401, 200)
        code = program("dock", "keys", "code", "alice", "--json").json["claimCode"]
        assert second.data("POST", "/agents/alice/bootstrap-key", {"claimCode": code})["apiKey"]
        assert program("dock", "agents", "remove", "alice").code == 0
        assert second.ask("GET", "/messages/peek")[0] == 401
        missing = program("dock", "keys", "reset", "alice")
        assert (missing.code, missing.err) == (
            1,
            "relaykit: the dock has no agent 'alice'; `relaykit dock agents` lists them\n",
        )


@pytest.mark.parametrize("words", ["127.0.0.1:99999", "127.0.0.1:\u00b2", "[::1]:-1", "off", "127.0.0.1"])
def test_an_address_that_is_none_is_one_clear_line(program, words):
    ended = program("dock", "serve", "--listen", words)
    assert (ended.code, ended.out, ended.err.count("\n")) == (2, "", 1)
    assert f"--listen: {words!r} is no address to listen on; write HOST:PORT" in ended.err


def test_wrong_words_and_a_taken_port_are_one_clear_line(program):
    assert program("dock").code == 2
    assert program("dock", "serve", "--rate", "many").code == 2
    assert "--tls-cert and --tls-key belong together" in program("dock", "serve", "--tls-cert", "x").err
    with serving(program) as (_, place):
        taken = program("dock", "serve", "--listen", place)
        assert (taken.code, taken.err.count("\n")) == (2, 1)
        assert f"--listen: {place} cannot be listened on" in taken.err


def test_no_key_is_in_what_a_dock_writes(program, connect):
    key = added(program, "alice")
    with serving(program) as (process, place):
        connection = connect(place)
        connection.request("GET", f"/messages/stream?token={key}&agent_id=alice")
        stream = connection.getresponse()
        assert stream.status == 200
        wrong = "sk_live_" + "1" * 64
        other = connect(place)
        other.request("GET", f"/messages/stream?token={wrong}&agent_id=alice")
        assert other.getresponse().status == 401
        process.send_signal(signal.SIGTERM)
        out, err = process.communicate(timeout=SECONDS)
        assert (process.returncode, out, err) == (0, "", "")
        stream.close()


def test_it_speaks_tls(program, connect, tmp_path):
    cert, private = tmp_path / "cert.pem", tmp_path / "key.pem"
    subject = ["-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1", "-days", "2"]
    made = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", private, "-out", cert, *subject]
    subprocess.run(made, check=True, capture_output=True, timeout=SECONDS)
    with serving(program, "--tls-cert", str(cert), "--tls-key", str(private)) as (_, place):
        context = ssl.create_default_context(cafile=cert)
        connection = connect(place, http.client.HTTPSConnection, context=context)
        connection.request("GET", "/health")
        assert connection.getresponse().status == 200


@pytest.mark.faults
def test_a_dock_that_is_killed_in_the_middle_of_sends_loses_nothing_that_it_answered(program, caller):
    sender, reader = added(program, "alice"), added(program, "bob")
    answered, tried = {}, 0
    for _ in range(5):
        with serving(program) as (process, place):
            alice, halt = caller(place, sender), Event()
            killer = Thread(target=_kill_after, args=(process, halt))
            killer.start()
            try:
                for tried in count(tried):  # noqa: B020 - the one that was not answered again
                    said = {"toAgentId": "bob", "content": f"number {tried}"}
                    message = alice.data("POST", "/messages", said, **{"Idempotency-Key": str(tried)})["message"]
                    answered[tried] = message["id"]
                    if len(answered) % 25 == 0:
                        halt.set()  # now, in the middle of the next ones
            except (OSError, http.client.HTTPException):
                assert process.wait(SECONDS) == -signal.SIGKILL
            killer.join(SECONDS)
    assert len(answered) >= 125
    with serving(program) as (_, place):
        alice, bob = caller(place, sender), caller(place, reader)
        for number in range(tried + 1):  # a client that lost an answer tries again
            said = {"toAgentId": "bob", "content": f"number {number}"}
            again = alice.data("POST", "/messages", said, **{"Idempotency-Key": str(number)})["message"]
            assert answered.setdefault(number, again["id"]) == again["id"]
        read = []
        while page := bob.data("GET", "/messages/peek?limit=200")["messages"]:
            read += [one["id"] for one in page]
            bob.data("POST", "/messages/ack", {"messageIds": [one["id"] for one in page]})
        assert read == [answered[number] for number in range(tried + 1)]


def _kill_after(process, halt):
    assert halt.wait(SECONDS)
    process.kill()


def test_a_key_that_could_not_be_told_is_said_to_be_lost_with_the_remedy(program):
    script = 'exec "$@" >/dev/full'
    for words in (["agents", "add", "alice"], ["keys", "reset", "alice"]):
        argv = ["sh", "-c", script, "sh", sys.executable, "-m", "relaykit", "dock", *words]
        told = subprocess.run(
            argv, capture_output=True, text=True, timeout=SECONDS, env=program.environment({}), check=False
        )
        assert told.returncode == 1
        assert "its new key is lost: `relaykit dock keys reset alice` makes another" in told.stderr
