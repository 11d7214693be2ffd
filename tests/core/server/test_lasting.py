"""What is kept of the tools of a process that outlives the relay, and what the next relay makes of it."""

from __future__ import annotations

import socket
from contextlib import AsyncExitStack
from types import SimpleNamespace

import pytest

from relaykit.model import Secret
from relaykit.relay.doorway import Hearing
from relaykit.relay.ownership import LASTING_FILE, children_directory
from relaykit.server.edge import HttpDoorway
from relaykit.server.lasting import Lasting, keep_lasting, read_lasting
from relaykit.server.origins import Address

KEPT = Lasting(Secret("t" * 43), 4870)


@pytest.fixture
def path(tmp_path):
    return children_directory(tmp_path, "a") / LASTING_FILE


@pytest.fixture
def admitted(tmp_path, path):
    """Returns what a relay of its own gives a lasting session, and what it reports."""
    said = []
    config = SimpleNamespace(home=tmp_path, agents=[SimpleNamespace(id="b"), SimpleNamespace(id="a")])
    services = SimpleNamespace(config=config, report=said.append, run_file=SimpleNamespace(note_url=str))

    async def admit():
        async with AsyncExitStack() as stack:
            doorway = HttpDoorway(Address.parse("auto"), services, stack)
            async with doorway.admit("b", Hearing()), doorway.admit("a", Hearing(), path) as endpoint:
                return endpoint, said

    return admit


def test_it_is_the_owners_alone_and_read_as_it_was_kept(path):
    assert read_lasting(path) is None
    keep_lasting(path, KEPT)
    assert (path.stat().st_mode & 0o777, read_lasting(path)) == (0o600, KEPT)
    assert [one.name for one in path.parent.iterdir()] == [LASTING_FILE]


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"token": "short", "port": 1}', '{"token": "x", "port": "y"}'])
def test_what_cannot_be_trusted_is_made_anew(path, text):
    keep_lasting(path, KEPT)
    path.write_text(text)
    assert read_lasting(path) is None


def test_what_others_can_read_or_a_link_leads_to_is_not_trusted(path):
    keep_lasting(path, KEPT)
    path.chmod(0o640)
    assert read_lasting(path) is None
    path.chmod(0o600)
    path.symlink_to(path.rename(path.with_name("elsewhere")))
    assert read_lasting(path) is None


@pytest.mark.anyio
async def test_the_next_relay_has_the_same_address_and_token(admitted):
    first, _ = await admitted()
    second, said = await admitted()
    assert (second.url, second.token) == (first.url, first.token)
    assert said == []


@pytest.mark.anyio
async def test_a_port_that_is_anothers_by_now_is_said_and_its_token_no_longer_good(admitted):
    first, _ = await admitted()
    with socket.socket() as other:
        other.bind(("127.0.0.1", int(first.url.rpartition(":")[2])))
        other.listen()
        second, said = await admitted()
    assert second.url != first.url
    assert second.token != first.token
    (line,) = said
    assert "relaykit restart a" in line
