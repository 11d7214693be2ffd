"""What waits: all of it is shown, and what waits for any of a group in each member's queue."""

from __future__ import annotations

from relaykit.mailbox import letters, reading
from relaykit.model import Draft, State


def test_an_inbox_acknowledges_nothing_that_it_has_not_shown(program, door):
    for number in range(620):
        door.run(letters.put, Draft(sender="user", to="user", body=f"text {number}", in_reply_to=(f"m-{number}",)))
    assert len(program("inbox", "--keep", "--json").json["items"]) == 620
    shown = program("inbox").out
    assert all(f"    text {number}\n" in shown for number in range(620))
    assert program("inbox").out == "nothing waits for user\n"


def test_what_waits_for_any_of_a_group_is_in_each_members_queue_until_one_has_it(program, workers):
    anna, bert = (workers.enlist(name, tags=["dev"]) for name in ("anna", "bert"))
    sent = program.send("any:tag:dev", "Mend it.")
    for name in ("anna", "bert"):
        assert f"{sent}  message from user to any:tag:dev, " in program("inbox", name).out
        (item,) = program("inbox", name, "--json").json["items"]
        assert (item["id"], item["to"], item["state"]) == (sent, "any:tag:dev", "queued")
    assert [(one["queued"], one["queued_bytes"]) for one in program("agents", "--json").json["agents"]] == [(1, 8)] * 2
    assert program("status").out.count(", 1 queued\n") == 2
    anna.take()
    assert [item["id"] for item in program("inbox", anna.agent, "--json").json["items"]] == [sent]
    assert program("inbox", bert.agent, "--json").json["items"] == []
    assert [one["queued"] for one in program("agents", "--json").json["agents"]] == [0, 0]


def test_who_looks_at_what_waits_for_any_of_a_group_takes_it_from_nobody(program, door, workers):
    workers.enlist("anna", tags=["dev"])
    sent = program.send("any:tag:dev", "Mend it.")
    assert "Mend it." in program("inbox", "any:tag:dev").out
    assert door.run(reading.trace, sent).deliveries[0].state is State.QUEUED
