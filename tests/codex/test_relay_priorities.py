"""Running turns of the real codex: joined, steered, interrupted and cancelled by the command line."""

from __future__ import annotations

import json
import os
import select
from pathlib import Path

import pytest

from relaykit.testing.program import SECONDS

pytestmark = pytest.mark.live


def running(house, events, script="gate:never-opened:the first half and the second half", **more):
    """Send a script and return its id once the model writes."""
    sent = house.send("main", script, *(word for name, value in more.items() for word in (f"--{name}", value)))
    events.until("block_started")
    return sent


def states(house, message):
    return [step["state"] for step in house.delivery(message)["steps"]]


@pytest.mark.parity("AR-8", "N-3")
def test_an_interrupt_ends_the_delivery_with_the_partial_text_in_its_notice(house):
    with house.run(), house.program.following() as events:
        sent = running(house, events)
        assert house.program("interrupt", "main").out == "main: interrupt succeeded: the turn was asked to end\n"
        delivery = house.ended(sent)
        assert (delivery["state"], delivery["reason"]) == ("interrupted", "it was interrupted on request")
        (notice,) = house.program("inbox", "--json").json["items"]
        assert (notice["kind"], notice["in_reply_to"]) == ("notice", [sent])
        assert "the first half" in notice["body"]
        assert "second half" not in notice["body"]
        assert house.program("interrupt", "main").out == "main: interrupt succeeded: no turn ran\n"
        assert house.program("send", "main", "say:next", "--wait", "20").out == "next\n"


def sleeping(seconds):
    """Whether a process sleeps for just that time."""
    found = False
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                words = (entry / "cmdline").read_bytes().split(b"\0")
            except OSError:
                continue
            found = found or words[:2] == [b"sleep", str(seconds).encode()]
    return found


@pytest.mark.parity("AR-8")
def test_an_interrupt_ends_the_command_that_runs(house):
    seconds = 800 + os.getpid() / 1e7
    os.mkfifo(house.workspace / "begun")
    begun = os.open(house.workspace / "begun", os.O_RDONLY | os.O_NONBLOCK)
    with house.run():
        sent = house.send("main", f"exec:echo begun > begun; sleep {seconds};;say:never said")
        assert select.select([begun], [], [], SECONDS)[0]
        assert house.program("interrupt", "main").out == "main: interrupt succeeded: the turn was asked to end\n"
        assert house.ended(sent)["state"] == "interrupted"
        assert house.program("send", "main", "say:next", "--wait", "20").out == "next\n"
        assert not sleeping(seconds)
    os.close(begun)


@pytest.mark.parity("AR-18", "AR-8")
def test_a_steered_text_joins_the_turn_and_the_one_who_asked_gets_the_new_answer(house):
    with house.run(), house.program.following() as events:
        sent = running(house, events)
        assert (
            house.program("steer", "main", "say:steered").out == "main: steer succeeded: it joined the running turn\n"
        )
        assert house.ended(sent)["state"] == "answered"
        assert house.program("inbox").out.endswith("    steered\n")
        ended = house.program("steer", "main", "say:nobody listens")
        assert (ended.code, ended.out) == (1, "")
        assert "no turn runs" in ended.err


@pytest.mark.parity("N-3")
def test_a_next_of_the_same_thread_joins_and_one_reply_answers_both(house):
    with house.run(), house.program.following() as events:
        first = running(house, events, thread="t")
        second = house.send("main", "say:both in one", "--thread", "t", "--priority", "next")
        assert house.ended(second)["state"] == house.ended(first)["state"] == "answered"
        (reply,) = house.program("inbox", "--json").json["items"]
        assert (reply["body"], sorted(reply["in_reply_to"])) == ("both in one", sorted([first, second]))
        assert house.delivery(first)["reason"] == house.delivery(second)["reason"]


@pytest.mark.parity("N-3", "AR-5")
def test_a_next_of_another_thread_waits_for_its_own_turn_before_every_later(house):
    with house.run(), house.program.following() as events:
        first = running(house, events, "gate:go:first")
        later = house.send("main", "say:later", "--priority", "later")
        after = house.send("main", "say:after", "--priority", "later")
        following = house.send("main", "say:next", "--priority", "next")
        queue = house.program("inbox", "main", "--json").json["items"]
        assert [item["id"] for item in queue if item["state"] == "queued"] == [following, later, after]
        assert states(house, following) == ["queued"]
        house.stub.open_gate("go")
        texts = [events.until("turn_ended")["data"]["text"] for _ in range(4)]
        assert texts == ["first", "next", "later", "after"]
        assert {house.ended(message)["state"] for message in (first, later, after, following)} == {"answered"}


@pytest.mark.parity("N-3")
def test_now_interrupts_and_what_it_interrupted_is_not_tried_again(house):
    with house.run(), house.program.following() as events:
        first = running(house, events, thread="t")
        now = house.program("send", "main", "say:at once", "--thread", "t", "--priority", "now", "--wait", "20")
        assert now.out == "at once\n"
        delivery = house.delivery(first)
        assert (delivery["state"], states(house, first).count("leased")) == ("interrupted", 1)
        assert delivery["reason"] == "a message with priority now took its place"
        (notice,) = house.program("inbox", "--json").json["items"]
        assert notice["kind"] == "notice"
        assert "the first half" in notice["body"]


@pytest.mark.parity("N-3")
def test_a_queued_message_is_cancelled_and_a_running_one_only_by_interrupting(house):
    with house.run(), house.program.following() as events:
        first = running(house, events)
        queued = house.send("main", "say:never said")
        assert house.program("cancel", queued).code == 0
        assert states(house, queued) == ["queued", "cancelled"]
        refused = house.program("cancel", first)
        assert (refused.code, refused.out) == (4, "")
        assert "--interrupt" in refused.err
        assert house.program("cancel", first, "--interrupt").code == 0
        assert house.ended(first)["state"] == "cancelled"
        assert house.program("inbox", "--json").json["items"] == [], "a cancelled message sends no notice"
        assert house.program("send", "main", "say:next", "--wait", "20").out == "next\n"
    asked = json.dumps([entry.get("step") for entry in house.stub.requests()])
    assert "never said" not in asked


@pytest.mark.parity("N-3", "N-1")
def test_what_was_interrupted_is_queued_once_more_on_request(house):
    with house.run(), house.program.following() as events:
        sent = running(house, events, "gate:again:this time whole")
        house.program("interrupt", "main")
        assert house.ended(sent)["state"] == "interrupted"
        assert house.program("requeue", sent).code == 0
        house.stub.open_gate("again")
        assert house.ended(sent)["state"] == "answered"
        steps = [(step["state"], step["note"]) for step in house.delivery(sent)["steps"]]
    assert ("seen", "to be ended: interrupt") in steps
    told = [state for state, note in steps if not note.startswith("to be ended")]
    whole = ["queued", "leased", "delivered", "seen"]
    assert told == [*whole, "interrupted", *whole, "answered"]
