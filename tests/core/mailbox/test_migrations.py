"""A mailbox of an earlier version is taken over with what waits in it, in its order."""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing
from pathlib import Path

from relaykit.builtin.routing import AddressRouter
from relaykit.mailbox import leases, queueing, reading
from relaykit.mailbox.door import open_door
from relaykit.mailbox.schema import FILE, MAILBOX
from relaykit.model import to_json
from relaykit.model.agent import Agent
from relaykit.storage.connect import Schema, connect

FIRST = Schema("mailbox", MAILBOX.migrations[:1])
MADE = "INSERT INTO message VALUES (?, ?, '', 'user', ?, ?, 't', NULL, 'message', '', NULL, ?, 0, 0.0, NULL, 0)"
WAITS = "INSERT INTO delivery (id, message, recipient, state, reason, rank, bytes, steps) VALUES (?, ?, ?, 'queued', '', ?, 1, '')"


def first_version(home: Path) -> None:
    """Write a mailbox as the first version did: two for the agent itself, two for any of its group."""
    with closing(connect(home / FILE, FIRST)) as connection:
        record = json.dumps(to_json(Agent(id="a", provider="echo", cwd="/")))
        connection.execute("INSERT INTO agent VALUES ('a', ?, 1, 'relay', NULL, NULL, '{}')", [record])
        for number, (to, rank) in enumerate([("a", 2), ("any:tag:x", 2), ("a", 1), ("any:tag:x", 1)], 1):
            connection.execute(MADE, [number, f"id-{number}", to, f"body {number}", f"id-{number}"])
            connection.execute(WAITS, [number, number, to, rank])
            if to != "a":
                connection.execute("INSERT INTO pool VALUES ('a', ?, ?)", [rank, number])
        connection.commit()


def test_what_waited_in_the_first_version_is_handed_over_in_its_order(tmp_path: Path) -> None:
    first_version(tmp_path)
    with open_door(tmp_path, routers=[AddressRouter()]) as door:
        taken = [
            door.run(leases.lease, "a", owner="relay", epoch=1, submission=f"s-{number}", session="s")
            for number in range(4)
        ]
    assert [one.message.id for one in taken if one] == ["id-3", "id-4", "id-1", "id-2"]


def test_what_waited_in_the_first_version_can_be_edited_and_moved(tmp_path: Path) -> None:
    first_version(tmp_path)
    with open_door(tmp_path, routers=[AddressRouter()]) as door:
        door.run(queueing.edit, "id-2", "another text")
        door.run(queueing.move, "id-1")
        door.run(queueing.move, "id-2", before="id-4")
        assert [item.message.id for item in door.run(reading.inbox, "any:tag:x")] == ["id-2", "id-4"]
        first = door.run(leases.lease, "a", owner="relay", epoch=1, submission="s-1", session="s")
        second = door.run(leases.lease, "a", owner="relay", epoch=1, submission="s-2", session="s")
    assert first is not None
    assert second is not None
    assert (first.message.id, second.message.body) == ("id-1", "another text")


def test_a_file_of_the_first_version_has_the_new_number_once_it_was_opened(tmp_path: Path) -> None:
    first_version(tmp_path)
    with open_door(tmp_path):
        pass
    with closing(sqlite3.connect(tmp_path / FILE)) as connection:
        assert connection.execute("PRAGMA user_version").fetchone() == (len(MAILBOX.migrations),)
