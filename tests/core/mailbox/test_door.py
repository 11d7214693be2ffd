from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from relaykit.builtin.routing import AddressRouter
from relaykit.errors import RefusedError, UnknownAddressError
from relaykit.mailbox import letters, reading
from relaykit.mailbox.door import open_door
from relaykit.model import USER, Draft, Limits
from relaykit.plugin import Directory, Route

HEAVY = ("asyncio", "anyio", "trio", "jsonschema", "importlib.metadata", "pluggy", "typer", "difflib", "tempfile")


def test_what_a_send_needs_is_cheap_to_import() -> None:
    script = f"import sys, relaykit.mailbox.door, relaykit.mailbox.letters; print(set({HEAVY!r}) & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=30, check=True)
    assert done.stdout == "set()\n"


def test_the_home_is_made_for_its_owner_alone(tmp_path: Path) -> None:
    with open_door(tmp_path / "new" / "home"):
        assert (tmp_path / "new" / "home").stat().st_mode & 0o777 == 0o700


def test_an_operation_is_run_and_its_listeners_are_woken(tmp_path: Path) -> None:
    with open_door(tmp_path, routers=[AddressRouter()]) as door, door.listen() as watch:
        put = door.run(letters.put, Draft(sender="maria", to=USER, body="hello"))
        assert watch.wait_for(10)
        assert door.run(reading.trace, put.message.id).message == put.message
        assert not watch.wait_for(0)


def test_what_an_operation_refuses_leaves_nothing(tmp_path: Path) -> None:
    with open_door(tmp_path, routers=[AddressRouter()], limits=Limits(message_bytes=3)) as door:
        with pytest.raises(RefusedError, match="3 may be"):
            door.run(letters.put, Draft(sender="maria", to=USER, body="hello"))
        assert door.run(reading.inbox, USER) == []
        door.run(letters.put, Draft(sender="maria", to=USER, body="hey"))


def test_a_name_that_the_first_router_refuses_may_be_the_next_ones(tmp_path: Path) -> None:
    class Aliases:
        def route(self, address: str, _sender: str, _directory: Directory) -> Route | None:
            return Route(recipients=(USER,)) if address == "me" else None

    with open_door(tmp_path, routers=[AddressRouter(), Aliases()]) as door:
        door.run(letters.put, Draft(sender="maria", to="me", body="hello"))
        assert [item.message.to for item in door.run(reading.inbox, USER)] == ["me"]
        with pytest.raises(UnknownAddressError, match="nobody is called 'them'"):
            door.run(letters.put, Draft(sender="maria", to="them", body="hello"))


def test_without_routers_no_address_is_known(tmp_path: Path) -> None:
    with open_door(tmp_path) as door, pytest.raises(UnknownAddressError, match="no router"):
        door.run(letters.put, Draft(sender="maria", to=USER, body="hello"))
