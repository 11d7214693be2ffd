"""What a wait says while nobody can answer."""

from __future__ import annotations

import json
import select
from contextlib import ExitStack

import pytest

from relaykit.mailbox import reading
from relaykit.model import State, StatusKind

LONG = "20"
PAUSED = "reviewer is in error (paused): there is no codex"


def next_complaint(process):
    """Return the next line on standard error."""
    assert select.select([process.stderr], [], [], 20)[0], "nothing was said"
    return process.stderr.readline()


def take(door, worker):
    """Answer the message that waits for a worker once it is there."""
    with door.listen() as bell:
        while not door.run(reading.inbox, worker.agent):
            assert bell.wait_for(20), "nothing was sent"
    worker.answer("Yes.")


def test_a_wait_for_an_agent_that_nobody_runs_says_so_at_once_and_again_when_that_changes(program, door, workers):
    worker = workers.enlist("reviewer")
    worker.report(StatusKind.OFFLINE)
    with program.start("send", "reviewer", "Is it good?", "--wait", LONG) as sending:
        said = next_complaint(sending)
        assert "reviewer is offline: no relay runs it; waiting (Ctrl-C leaves the message in its queue)" in said
        with workers.locked("reviewer"):
            worker.report(StatusKind.ERROR, reason="paused", detail="there is no codex", next_try=2e9)
            assert f"{PAUSED}; waiting" in next_complaint(sending)
            worker.answer("Yes.")
            out, err = sending.communicate(timeout=30)
    assert (sending.returncode, out, err) == (0, "Yes.\n", "")


@pytest.mark.parametrize("as_json", [(), ("--json",)])
def test_a_wait_that_is_over_repeats_why_nobody_could_answer(program, workers, as_json):
    worker = workers.enlist("reviewer")
    worker.report(StatusKind.ERROR, reason="paused", detail="there is no codex")
    with workers.locked("reviewer"):
        ended = program("send", "reviewer", "Go.", "--wait", "0.1", *as_json)
    assert ended.code == 5
    assert f"no reply within 0.1 s: {PAUSED}; `relaykit restart reviewer` has it try again; the message" in ended.err
    assert len(ended.out.splitlines()) == 1
    assert not as_json or json.loads(ended.out)["timed_out"]


def test_an_agent_that_was_killed_or_asks_for_permission_is_named_too(program, workers):
    worker = workers.enlist("reviewer")
    gone = program("send", "reviewer", "Go.", "--wait", "0.1")
    assert "reviewer is offline: the relay that ran it is gone" in gone.err
    worker.report(StatusKind.BUSY, reason="permission")
    with workers.locked("reviewer"):
        asks = program("send", "reviewer", "Go.", "--wait", "0.1")
    assert "reviewer asks for permission: relaykit permissions" in asks.err


@pytest.mark.parametrize(
    ("words", "locked", "said"),
    [
        (["tag:team", "--all"], ["anna"], "bert is offline"),
        (["tag:team", "--any"], ["anna"], ""),
        (["tag:team", "--any"], [], "anna is offline"),
        (["any:tag:team"], ["anna"], ""),
        (["any:tag:team"], [], "anna is offline: the relay that ran it is gone; bert is offline"),
        (["user"], [], ""),
        (["nope@dokc"], [], "no running relay has the transport 'dokc'"),
    ],
)
def test_of_a_group_only_what_keeps_the_wait_from_its_end_is_told(program, workers, words, locked, said):
    for name in ("anna", "bert"):
        workers.enlist(name, tags=["team"])
    with ExitStack() as locks:
        for name in locked:
            locks.enter_context(workers.locked(name))
        ended = program("send", words[0], "Well?", *words[1:], "--wait", "0.1")
    assert f"no reply within 0.1 s{': ' if said else ';'}" in ended.err
    assert said in ended.err


def test_an_agent_that_can_answer_is_waited_for_in_silence(program, door, workers):
    worker = workers.enlist("reviewer")
    with workers.locked("reviewer"), program.start("send", "reviewer", "Is it good?", "--wait", LONG) as sending:
        take(door, worker)
        out, err = sending.communicate(timeout=30)
    assert (out, err) == ("Yes.\n", "")


def test_an_agent_that_is_being_started_is_not_called_offline(program, workers):
    worker = workers.enlist("reviewer")
    worker.report(StatusKind.OFFLINE)
    with workers.locked("reviewer"):
        ended = program("send", "reviewer", "Go.", "--wait", "0.1")
    assert "offline" not in ended.err


def asked(program, door, workers, *words):
    """Ask three of whom anna answers, bert fails and carl does nothing; return what the wait that is over told."""
    anna, bert, _ = (workers.enlist(name, tags=["team"]) for name in ("anna", "bert", "carl"))
    program("send", "tag:team", "Well?", "--id", "job-1")
    anna.answer("I am well.")
    bert.fail(State.FAILED, "not at all")
    ended = program("send", "tag:team", "Well?", "--id", "job-1", "--all", "--wait", "0.1", *words)
    assert ended.code == 5
    assert "1 of 3 replied, and not carl, within 0.1 s: carl is offline" in ended.err
    assert door.run(reading.inbox, "user") == [], "what was shown is not shown again"
    return ended


def test_a_wait_for_all_that_is_over_shows_who_replied_and_names_who_has_not(program, door, workers):
    ended = asked(program, door, workers)
    assert ended.out == "job-1\n--- anna\nI am well.\n"
    assert "job-1 to bert ended failed: not at all" in ended.err


def test_so_it_does_for_programs(program, door, workers):
    document = json.loads(asked(program, door, workers, "--json").out)
    replies = {one["recipient"]: one["reply"] for one in document["deliveries"]}
    assert (document["timed_out"], replies) == (True, {"anna": "I am well.", "bert": None, "carl": None})
