"""A mailbox of the first version is brought forward with all that is in it."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path

from relaykit.builtin.routing import AddressRouter
from relaykit.mailbox import conversing, directory, leases, letters, reading, recall, retention, settling
from relaykit.mailbox.door import open_door
from relaykit.mailbox.schema import FILE, MAILBOX
from relaykit.model import Agent, Draft, State, TaskState
from relaykit.storage.connect import Schema, connect

OLD = """
INSERT INTO message (id, account, sender, address, body, thread, kind, in_reply_to, root, hops, created_at, beyond)
    VALUES ('old', '', 'user', 'a', 'hello', 'old', 'message', '', 'old', 0, 1.0, 0);
INSERT INTO delivery (message, recipient, state, reason, rank, bytes, steps) VALUES (1, 'a', 'queued', '', 2, 5, '');
"""


def test_what_waited_in_the_first_version_is_delivered_and_new_messages_carry_tasks(tmp_path: Path) -> None:
    with closing(connect(tmp_path / FILE, Schema("mailbox", MAILBOX.migrations[:1]))) as connection:
        connection.executescript(OLD)
    with open_door(tmp_path, routers=[AddressRouter()]) as door:
        claim = door.run(directory.claim, Agent(id="a", provider="echo", cwd="/"), "relay-1")
        door.run(letters.put, Draft(sender="user", to="a", body="new", id="new", task="mend it"))
        holder = {"owner": "relay-1", "epoch": claim.epoch, "session": "s"}
        taken = [door.run(leases.lease, "a", submission=f"s{number}", **holder) for number in range(2)]
        assert [one.message.id for one in taken if one] == ["old", "new"]
        old, new = (door.run(reading.trace, name) for name in ("old", "new"))
    assert (old.message.task, old.tasks, old.deliveries[0].state) == (None, (), State.LEASED)
    assert (new.tasks[0].state, new.tasks[0].agent) == (TaskState.CLAIMED, "a")


def test_what_an_agent_took_for_its_group_is_swept_where_it_never_got_anything_of_its_own(tmp_path: Path) -> None:
    with open_door(tmp_path, routers=[AddressRouter()]) as door:
        claim = door.run(directory.claim, Agent(id="a", provider="echo", cwd="/", tags=("x",)), "relay-1")
        door.run(letters.put, Draft(sender="user", to="any:tag:x", body="work"))
        holder = {"owner": "relay-1", "epoch": claim.epoch, "submission": "s", "session": "s"}
        taken = door.run(leases.lease, "a", **holder)
        assert taken is not None
        door.run(settling.settle, [taken.lease], State.ANSWERED, "done")
        assert door.run(retention.sweep, settled_before=1e12, keys_before=0) == 1
        assert door.run(lambda tx: tx.rows("SELECT * FROM message")) == []


def test_what_belongs_to_a_message_is_swept_with_it(tmp_path: Path) -> None:
    with open_door(tmp_path, routers=[AddressRouter()]) as door:
        door.run(directory.claim, Agent(id="a", provider="echo", cwd="/"), "relay-1")
        door.run(letters.put, Draft(sender="user", to="a", body="new", id="new", task="mend it"))
        door.run(conversing.react, "new", "a", "+1")
        door.run(recall.cancel, "new")
        assert door.run(retention.sweep, settled_before=1e12, keys_before=0) == 1
        left = [door.run(lambda tx, table=table: tx.rows(f"SELECT * FROM {table}")) for table in ("task", "reaction")]
    assert left == [[], []]
