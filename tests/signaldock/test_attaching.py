"""Files over the wire: two homes and a dock, and servers that do not do as they should."""

from __future__ import annotations

import json
import signal
import time
from hashlib import sha256
from pathlib import Path

import pytest

from relaykit.builtin.credential_file import CredentialFile
from relaykit.errors import TransportError, TransportRefusedError
from relaykit.model import Attachment, Credential, Draft, Secret
from relaykit.testing.contexts import message_of
from relaykit.testing.dock import Reply, error
from relaykit.testing.program import Output, Program

pytestmark = [pytest.mark.anyio, pytest.mark.parity("AR-13")]
CONTENT = bytes(range(256)) * 5000
DIGEST = sha256(CONTENT).hexdigest()
CONFIGURATION = """
[credentials]
use = "file"

[agents.{name}]
provider = "exec"
options = {{ command = ["cat"] }}
on_interrupted = "redeliver"

[transports.dock]
use = "signaldock"
poll_seconds = 0.2
mode = "http"
"""


def program_of(path: Path) -> Program:
    path.mkdir()
    return Program(home=path / "home", cwd=path, env={"XDG_CONFIG_HOME": str(path / "config")})


def agent(path: Path, server: Program, url: str, name: str) -> Program:
    program = program_of(path / name)
    said = server("dock", "agents", "add", name, "--json")
    assert said.code == 0, said
    key = json.loads(said.out)["apiKey"]
    (program.cwd / "relaykit.toml").write_text(CONFIGURATION.format(name=name))
    credentials = program.home / "credentials"
    credentials.mkdir(parents=True, mode=0o700)
    fields = {"agentId": name, "apiBaseUrl": url}
    record = Credential(secret=Secret(key), kind="signaldock", fields=fields, since=time.time())
    CredentialFile(credentials).change("dock", lambda _: record)
    return program


def test_a_file_goes_from_one_home_through_a_dock_to_the_agent_of_another_whatever_is_killed(tmp_path):
    server = program_of(tmp_path / "server")
    with server.start("dock", "serve", "--listen", "127.0.0.1:0", "--json") as process:
        url = json.loads(Output(process).line())["url"]
        alice, bob = (agent(tmp_path, server, url, name) for name in ("alice", "bob"))
        (alice.cwd / "data.bin").write_bytes(CONTENT)
        with alice.relay(), bob.start("run", env={"RELAYKIT_FAULT": "fetched"}) as killed:
            sent = alice.send("bob@dock", "Look at this.", "--attach", "data.bin", "--from", "alice")
            assert alice.ended(sent)["bob@dock"]["state"] == "acknowledged"
            assert killed.wait(30) == -signal.SIGKILL
            assert [*bob.home.glob("cache/attachments/*/*/data.bin")] == []
        with bob.relay():
            [path] = bob.until(lambda: [*bob.home.glob("cache/attachments/*/*/data.bin")])
            assert sha256(path.read_bytes()).hexdigest() == DIGEST == path.parent.name
            assert (path.stat().st_mode & 0o777, path.parent.stat().st_mode & 0o777) == (0o600, 0o700)
            reply = bob.until(lambda: _reply(bob))
        assert (
            reply["body"].rstrip().endswith(f"[Attached: data.bin (application/octet-stream, 1280000 bytes): {path}]")
        )
        process.terminate()


def _reply(program: Program):
    rows = program("inbox", "alice@dock", "--all", "--json").json["items"]
    return next((row for row in rows if row["kind"] == "reply"), None)


def attachment(**changes) -> Attachment:
    about = {"name": "log.txt", "media_type": "text/plain", "size": 3, "sha256": sha256(b"abc").hexdigest()}
    return Attachment(**{**about, "source": "/files/1", **changes})


async def content(transport, one) -> bytes:
    return b"".join([piece async for piece in transport.fetch(one)])


async def test_what_a_server_names_with_a_digest_is_fetched_and_the_rest_is_said(bench):
    good = {"filename": "../a/log.txt", "contentType": "text/plain", "size": 3, "sha256": "0" * 64, "url": "/files/1"}
    rows = [good, {**good, "sha256": "x"}, {**good, "url": None}, {**good, "size": 2**40}, "plan.md"]
    bench.dock.on("GET /files/1", Reply(body=b'{"success": false}'))
    async with bench.open() as transport:
        bench.dock.tell("look", attachments=rows)
        await bench.arrived(1)
        [draft] = bench.intake.drafts
        [record] = draft.attachments
        assert await content(transport, record) == b'{"success": false}'
    assert record == attachment(sha256="0" * 64)
    assert draft.body.startswith("look\n\n[attached, and not fetched: ")
    assert draft.body.count("log.txt") == 3


@pytest.mark.parametrize(
    "source", ["http://elsewhere.example/x", "//elsewhere/x", "file:///etc/passwd", "x", "/a b", ""]
)
async def test_the_key_goes_to_no_other_server_for_a_file(bench, source):
    async with bench.open(mode="http") as transport:
        with pytest.raises(TransportRefusedError):
            await content(transport, attachment(source=source))


async def test_a_file_that_is_gone_is_an_error_that_says_so(bench):
    bench.dock.on("GET /files/1", error(404, "E_NOT_FOUND_RESOURCE", "no longer kept"))
    async with bench.open(mode="http") as transport:
        with pytest.raises(TransportError, match="no longer kept"):
            await content(transport, attachment())


def message(digest):
    named = (attachment(source=None, sha256=digest),)
    return message_of(Draft(sender="bob", to="alice@dock", body="look", attachments=named))


async def test_a_file_is_uploaded_before_the_message_that_names_it(bench):
    digest = await bench.context.attachments.keep(b"abc")
    bench.dock.on(f"PUT /attachments/{digest}", Reply(status=201))
    async with bench.open(mode="http") as transport:
        await transport.send(message(digest), "alice@dock")
    [row] = bench.dock.posted
    [said] = [one for one in bench.dock.requests if one.target.startswith("/attachments/")]
    assert (row["content"], said.body) == ("look", b"abc")
    [named] = json.loads(bench.dock.said("POST /messages")[0].body)["attachments"]
    assert named == {"filename": "log.txt", "contentType": "text/plain", "size": 3, "sha256": digest}


async def test_a_server_without_files_gets_the_message_which_says_what_is_missing(bench):
    digest = await bench.context.attachments.keep(b"abc")
    bench.dock.on(f"PUT /attachments/{digest}", error(404))
    async with bench.open(mode="http") as transport:
        await transport.send(message(digest), "alice@dock")
        await transport.send(message("0" * 64), "alice@dock")
    assert "[Attached, and not sent: log.txt: PUT /attachments/" in bench.dock.posted[0]["content"]
    assert "no longer kept here" in bench.dock.posted[1]["content"]


async def test_a_file_that_a_server_cannot_take_now_holds_its_message_back(bench):
    digest = await bench.context.attachments.keep(b"abc")
    bench.dock.on(f"PUT /attachments/{digest}", error(503))
    async with bench.open(mode="http") as transport:
        with pytest.raises(TransportError):
            await transport.send(message(digest), "alice@dock")
    assert bench.dock.posted == []
