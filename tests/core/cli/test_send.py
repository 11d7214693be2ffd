"""``send``: what is put, what is waited for, and how it ends."""

from __future__ import annotations

import json
import os
import signal
import sys
import time

import pytest

from relaykit.mailbox import letters, reading
from relaykit.model import Draft, Priority, State
from relaykit.testing.terminal import terminal

LONG = "20"


def put_by_now(door, recipient):
    """Return the one message that waits for a recipient, once it does."""
    with door.listen() as bell:
        while not (items := door.run(reading.inbox, recipient)):
            assert bell.wait_for(20), "nothing was sent"
    return items[0].message


def test_the_id_is_printed_and_the_message_is_there(program, door, workers):
    workers.enlist("reviewer")
    ended = program("send", "reviewer", "Look.", "--thread", "t", "--priority", "next", "--from", "anna")
    assert (ended.code, ended.err) == (0, "")
    message = door.run(reading.trace, ended.out.strip()).message
    assert (message.sender, message.to, message.body, message.thread) == ("anna", "reviewer", "Look.", "t")
    assert message.priority is Priority.NEXT


def test_json_is_the_id_alone(program):
    assert set(program("send", "user", "Look.", "--json").json) == {"id"}


@pytest.mark.parametrize("words", [["-"], []])
def test_the_text_is_read_from_standard_input(program, door, words):
    sent = program("send", "user", *words, stdin="one\ntwo ü\n").out.strip()
    assert door.run(reading.trace, sent).message.body == "one\ntwo ü"


@pytest.mark.parametrize(
    ("words", "stdin", "said"),
    [
        (["user", "  "], None, "the text is empty"),
        (["user"], "", "the text is empty"),
        (["user", "-"], b"\xff\xfe", "not UTF-8"),
        (["no one", "x"], None, "is not an address"),
        (["tag:x", "x", "--all", "--any"], None, "exclude each other"),
        (["tag:x", "x", "--wait"], None, "is a group"),
        (["user", "x", "--wait=nan"], None, "is no number"),
        (["user", "x", "--wait=-1"], None, "is less than 0"),
        (["user", "x", "--id", ""], None, "--id: '' is no id"),
        (["user", "x", "--id", "i" * 201], None, "1 to 200"),
        (["user", "x", "--from", ""], None, "--from: '' is no name"),
        (["user", "x", "--from", "tag:x"], None, "'tag:x' is no name"),
        (["user", "x", "--from", "x y"], None, "'x y' is no name"),
    ],
)
def test_what_makes_no_sense_is_wrong_usage(program, words, stdin, said):
    ended = program("send", *words, stdin=stdin)
    assert (ended.code, ended.out) == (2, "")
    assert said in ended.err


def test_an_unknown_address_is_refused_with_a_near_miss(program, workers):
    workers.enlist("reviewer")
    ended = program("send", "reviewr", "Look.")
    assert (ended.code, ended.out) == (4, "")
    assert "reviewer" in ended.err


@pytest.mark.parametrize("own", ["9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08", "ci/build:17"])
def test_an_id_may_be_whatever_can_be_seen(program, own):
    assert program.send("user", "once", "--id", own) == own


def test_the_same_id_again_is_the_first_and_with_another_text_refused(program, door):
    first = program("send", "user", "once", "--id", "job-1")
    again = program("send", "user", "once", "--id", "job-1")
    assert first.out == again.out == "job-1\n"
    assert len(door.run(reading.inbox, "user")) == 1
    assert program("send", "user", "other", "--id", "job-1").code == 4


def test_a_wait_prints_the_reply_and_acknowledges_it(program, door, workers):
    worker = workers.enlist("reviewer")
    with workers.locked("reviewer"), program.start("send", "reviewer", "Is it good?", "--wait", LONG) as sending:
        put_by_now(door, "reviewer")
        worker.answer("It is\ngood.")
        out, err = sending.communicate(timeout=30)
    assert (sending.returncode, out, err) == (0, "It is\ngood.\n", "")
    assert door.run(reading.inbox, "user") == []
    assert door.run(reading.inbox, "user", ended=True)[0].delivery.state is State.ACKNOWLEDGED


def test_on_a_terminal_a_wait_begins_with_the_id_of_the_message(program, door, workers):
    worker = workers.enlist("reviewer")
    words = [sys.executable, "-m", "relaykit", "send", "reviewer", "Is it good?", "--wait", LONG]
    with workers.locked("reviewer"), terminal(words, env=program.environment({}), cwd=program.cwd) as shown:
        message = put_by_now(door, "reviewer")
        worker.answer("Yes.")
        assert shown.ended() == 0
    assert shown.text == f"relaykit: waiting for what becomes of {message.id}\nYes."


def test_a_wait_in_json_has_id_reply_state_and_reason(program, door, workers):
    worker = workers.enlist("reviewer")
    with program.start("send", "reviewer", "Is it good?", "--json", "--wait") as sending:
        message = put_by_now(door, "reviewer")
        worker.answer("Yes.")
        out, _ = sending.communicate(timeout=30)
    document = json.loads(out)
    assert {key: document[key] for key in ("id", "reply", "state", "reason")} == {
        "id": message.id,
        "reply": "Yes.",
        "state": "answered",
        "reason": "the provider completed turn-1",
    }


@pytest.mark.parity("N-1")
@pytest.mark.parametrize("state", [State.FAILED, State.INTERRUPTED, State.DEAD, State.UNKNOWN])
def test_an_end_that_is_not_good_is_4_with_the_reason(program, door, workers, state):
    worker = workers.enlist("reviewer")
    with program.start("send", "reviewer", "Go.", "--wait", LONG) as sending:
        put_by_now(door, "reviewer")
        worker.fail(state, "the context is full", partial="So far so good.")
        out, err = sending.communicate(timeout=30)
    assert (sending.returncode, out) == (4, "")
    assert f"ended {state}: the context is full" in err
    assert "So far so good." in err
    assert door.run(reading.inbox, "user") == [], "the notice was shown"


def test_a_wait_that_is_over_ends_with_5_and_the_id_and_cancels_nothing(program, door, workers):
    workers.enlist("reviewer")
    ended = program("send", "reviewer", "Go.", "--wait", "0.1")
    assert ended.code == 5
    assert door.run(reading.trace, ended.out.strip()).deliveries[0].state is State.QUEUED
    assert "the message goes on" in ended.err
    document = program("send", "reviewer", "Go.", "--wait", "0.1", "--json")
    assert document.code == 5
    assert (document.json["state"], document.json["reply"], document.json["timed_out"]) == ("queued", None, True)


def show(door, message):
    """Acknowledge a message, as an inbox does that shows it."""
    door.run(reading.acknowledge, [one.id for one in door.run(reading.trace, message).deliveries], "shown")


def test_a_wait_goes_on_after_a_person_was_shown_the_message_until_the_answer(program, door):
    door.run(letters.put, Draft(sender="anna", to="user", body="Hello."))
    with program.start("send", "anna", "Well?", "--wait", LONG) as sending:
        message = put_by_now(door, "anna")
        show(door, message.id)
        door.run(letters.put, Draft(sender="anna", to="user", body="Yes.", in_reply_to=(message.id,)))
        out, _ = sending.communicate(timeout=30)
    assert (sending.returncode, out) == (0, "Yes.\n")


def test_a_wait_that_is_over_says_who_took_the_message_and_has_not_answered(program, door):
    door.run(letters.put, Draft(sender="anna", to="user", body="Hello."))
    program("send", "anna", "Well?", "--id", "job-1")
    show(door, "job-1")
    ended = program("send", "anna", "Well?", "--id", "job-1", "--json", "--wait", "0.1")
    assert (ended.code, ended.json["state"], ended.json["timed_out"]) == (5, "acknowledged", True)
    assert "anna took it, but no reply" in ended.err


def test_ctrl_c_ends_the_wait_with_130_and_says_that_the_message_goes_on(program, door, workers):
    workers.enlist("reviewer")
    with program.start("send", "reviewer", "Go.", "--wait", LONG) as sending:
        message = put_by_now(door, "reviewer")
        wait_until_listening(program)
        sending.send_signal(signal.SIGINT)
        out, err = sending.communicate(timeout=30)
    assert (sending.returncode, out) == (130, "")
    assert f"relaykit trace {message.id}" in err
    assert "Traceback" not in err


def wait_until_listening(program):
    """Return when someone waits for the mailbox's doorbell."""
    street = program.home / "mailbox.db-bell"
    until = time.monotonic() + 20
    while not (street.exists() and any(street.iterdir())):
        assert time.monotonic() < until
        os.sched_yield()


@pytest.mark.parity("AR-4")
def test_all_waits_for_every_reply_of_a_group_and_any_for_the_first(program, door, workers):
    members = [workers.enlist(name, tags=["team"]) for name in ("anna", "bert")]
    with program.start("send", "tag:team", "Well?", "--all", "--wait", LONG) as sending:
        put_by_now(door, "bert")
        for worker in members:
            worker.answer(f"{worker.agent} is well")
        out, _ = sending.communicate(timeout=30)
    assert sending.returncode == 0
    assert out == "--- anna\nanna is well\n--- bert\nbert is well\n"
    with program.start("send", "tag:team", "Well?", "--any", "--wait", LONG) as sending:
        put_by_now(door, "bert")
        members[1].answer("first")
        out, _ = sending.communicate(timeout=30)
    assert (sending.returncode, out) == (0, "first\n")


def test_one_bad_end_in_a_group_makes_all_end_with_4_and_shows_the_good_replies(program, door, workers):
    good, bad = (workers.enlist(name, tags=["team"]) for name in ("anna", "bert"))
    with program.start("send", "tag:team", "Well?", "--all", "--wait", LONG) as sending:
        put_by_now(door, "bert")
        good.answer("well")
        bad.fail(State.FAILED, "not at all")
        out, err = sending.communicate(timeout=30)
    assert sending.returncode == 4
    assert "well" in out
    assert "to bert ended failed: not at all" in err


def test_an_agents_process_sends_in_its_name_with_its_turn_as_the_cause(program, door, workers):
    worker = workers.enlist("asker")
    workers.enlist("echo")
    door.run(letters.put, Draft(sender="user", to="asker", body="Ask."))
    taken = worker.take()
    sent = program("send", "echo", "Hello.", env={"RELAYKIT_AGENT": "asker"}).out.strip()
    message = door.run(reading.trace, sent).message
    assert (message.sender, message.cause) == ("asker", taken.delivery.id)


def test_an_answer_that_an_agent_waited_for_does_not_come_again_as_a_turn(program, door, workers):
    asker, echo = workers.enlist("asker"), workers.enlist("echo")
    door.run(letters.put, Draft(sender="user", to="asker", body="Ask."))
    asker.take()
    with program.start("send", "echo", "Hello.", "--wait", LONG, env={"RELAYKIT_AGENT": "asker"}) as sending:
        put_by_now(door, "echo")
        echo.answer("hello")
        out, _ = sending.communicate(timeout=30)
    assert (sending.returncode, out) == (0, "hello\n")
    states = [item.delivery.state for item in door.run(reading.inbox, "asker", ended=True)]
    assert states == [State.SEEN, State.ACKNOWLEDGED]


def test_an_agent_that_would_wait_in_a_circle_is_refused(program, door, workers):
    asker, other = workers.enlist("asker"), workers.enlist("other")
    door.run(letters.put, Draft(sender="user", to="asker", body="Ask."))
    asker.take()
    door.run(letters.put, Draft(sender="asker", to="other", body="Ask back."), waits=60.0)
    other.take()
    ended = program("send", "asker", "And you?", "--wait", LONG, env={"RELAYKIT_AGENT": "other"})
    assert ended.code == 4
    assert "would never end" in ended.err


def test_a_sender_that_the_environment_names_is_a_name(program):
    ended = program("send", "user", "hi", env={"RELAYKIT_AGENT": "bad name"})
    assert (ended.code, ended.out) == (2, "")
    assert "RELAYKIT_AGENT: 'bad name' is no name" in ended.err
