"""``interrupt`` and the other orders, ``cancel``, ``requeue``, ``permissions``, ``approve``, ``deny``."""

from __future__ import annotations

import json
import time

import pytest

from relaykit.mailbox import directory, letters, orders, permissions, reading
from relaykit.model import OFFLINE, Choice, CommandState, Draft, Question, State, Wish

ORDERS = ["interrupt", "compact", "restart", "stop", "kill"]


def put(door, to):
    return door.run(letters.put, Draft(sender="user", to=to, body="hello")).message.id


def taken_order(door, worker):
    """Return the one order that waits for a worker, once it does."""
    with door.listen() as bell:
        while not (found := door.run(orders.orders, worker.agent, worker.epoch)):
            assert bell.wait_for(20), "no order came"
    return found[0]


@pytest.mark.parity("AR-8")
@pytest.mark.parametrize("kind", ORDERS)
def test_an_order_waits_for_its_end_and_prints_what_came_of_it(program, door, workers, kind):
    worker = workers.enlist("reviewer")
    with workers.locked("reviewer"), program.start(kind, "reviewer", "--json") as process:
        order = taken_order(door, worker)
        door.run(orders.advance, order.id, CommandState.FAILED, "it cannot be done")
        out, err = process.communicate(timeout=30)
    assert process.returncode == 1
    assert json.loads(out) == {
        "id": order.id,
        "agent": "reviewer",
        "kind": kind,
        "state": "failed",
        "result": "it cannot be done",
    }
    assert err == f"relaykit: {kind} of reviewer failed: it cannot be done\n"


def test_an_order_that_succeeds_ends_with_0(program, door, workers):
    worker = workers.enlist("reviewer")
    with workers.locked("reviewer"), program.start("compact", "reviewer") as process:
        door.run(orders.advance, taken_order(door, worker).id, CommandState.SUCCEEDED, "done")
        out, _ = process.communicate(timeout=30)
    assert (process.returncode, out) == (0, "reviewer: compact succeeded: done\n")


@pytest.mark.parametrize("kind", ["steer", "inject"])
def test_a_text_goes_along_from_the_word_or_standard_input(program, door, workers, kind):
    worker = workers.enlist("reviewer")
    with workers.locked("reviewer"):
        assert program(kind, "reviewer", "from a word", "--no-wait").code == 0
        assert program(kind, "reviewer", "-", "--no-wait", stdin="from a pipe\n").code == 0
        assert program(kind, "reviewer", "", "--no-wait").code == 2
    texts = [order.text for order in door.run(orders.orders, "reviewer", worker.epoch)]
    assert texts == ["from a word", "from a pipe"]


@pytest.mark.parity("AR-8")
@pytest.mark.parametrize("kind", ["interrupt", "compact", "restart"])
def test_an_order_to_an_agent_that_nobody_runs_fails_at_once(program, workers, kind):
    workers.enlist("reviewer")
    ended = program(kind, "reviewer")
    assert (ended.code, ended.out) == (1, "")
    assert "nobody runs reviewer" in ended.err


@pytest.mark.parametrize("kind", ["stop", "kill"])
def test_to_stop_an_agent_that_nobody_runs_is_done_already(program, workers, kind):
    workers.enlist("reviewer")
    assert program(kind, "reviewer", "--json").json["state"] == "succeeded"


def test_an_order_to_an_unknown_agent_names_the_one_that_may_be_meant(program, workers):
    workers.enlist("reviewer")
    ended = program("stop", "reviewr")
    assert ended.code == 1
    assert "did you mean 'reviewer'?" in ended.err


def test_an_order_fails_when_whoever_ran_the_agent_dies(program, door, workers):
    worker = workers.enlist("reviewer")
    with program.start("compact", "reviewer") as process:
        with workers.locked("reviewer"):
            pass
        out, err = process.communicate(timeout=30)
    assert (process.returncode, out) == (1, "")
    assert "nobody runs" in err
    assert door.run(orders.orders, "reviewer", worker.epoch) == []


def test_a_stop_has_succeeded_when_the_lock_is_free(program, door, workers):
    worker = workers.enlist("reviewer")
    with program.start("stop", "reviewer", "--json") as process:
        with workers.locked("reviewer"):
            held = time.monotonic()
            with door.listen() as bell:
                while not door.run(orders.orders, "reviewer", worker.epoch) and time.monotonic() < held + 5:
                    bell.wait_for(1)
            assert process.poll() is None or time.monotonic() < held + 5
            door.run(directory.retire, "reviewer", worker.epoch, OFFLINE)
        out, _ = process.communicate(timeout=30)
    assert process.returncode == 0
    assert json.loads(out)["state"] == "succeeded"


@pytest.mark.parity("N-3")
def test_a_queued_message_is_cancelled_and_only_for_the_one_that_is_named(program, door, workers):
    for name in ("anna", "bert"):
        workers.enlist(name, tags=["team"])
    sent = put(door, "tag:team")
    document = program("cancel", sent[:8], "--to", "anna", "--json").json
    assert [(one["recipient"], one["state"]) for one in document["deliveries"]] == [("anna", "cancelled")]
    states = {one.recipient: one.state for one in door.run(reading.trace, sent).deliveries}
    assert states == {"anna": State.CANCELLED, "bert": State.QUEUED}
    assert program("cancel", sent, "--to", "carl").code == 1


def test_a_message_whose_turn_began_is_cancelled_only_by_interrupting(program, door, workers):
    worker = workers.enlist("reviewer")
    sent = put(door, "reviewer")
    worker.take()
    assert program("cancel", sent).code == 4
    ended = program("cancel", sent, "--interrupt")
    assert (ended.code, ended.out) == (0, f"reviewer: seen: to be cancelled, see `relaykit trace {sent}`\n")
    assert door.run(reading.trace, sent).deliveries[0].wish is Wish.CANCEL


def test_what_ended_otherwise_than_well_can_be_queued_once_more(program, door, workers):
    worker = workers.enlist("reviewer")
    sent = put(door, "reviewer")
    assert program("requeue", sent).code == 4
    worker.fail(State.FAILED, "no luck")
    assert program("requeue", sent).out == "reviewer: queued: queued once more\n"


@pytest.mark.parity("N-3")
def test_a_queued_message_gets_another_text_and_what_was_handed_over_does_not(program, door, workers):
    worker = workers.enlist("reviewer")
    sent = put(door, "reviewer")
    assert program("edit", sent[:8], "Look at the last two.").out == "reviewer: queued\n"
    document = program("trace", sent, "--json").json
    assert [step["note"] for step in document["deliveries"][0]["steps"]] == ["", "edited; it has 21 characters now"]
    assert document["deliveries"][0]["body"] == "Look at the last two."
    assert "edited: Look at the last two." in program("trace", sent).out
    assert worker.take().message.body == "Look at the last two."
    late = program("edit", sent, "Too late.")
    assert (late.code, late.out) == (4, "")
    assert "reviewer seen" in late.err


@pytest.mark.parity("N-3")
def test_a_queued_message_is_moved_before_another_or_to_the_front(program, door, workers):
    worker = workers.enlist("reviewer")
    one, two, three = [put(door, "reviewer") for _ in range(3)]
    assert program("move", three, "--before", two[:8]).code == 0
    assert program("move", two, "--first", "--json").json["deliveries"][0]["state"] == "queued"
    shown = [item["id"] for item in program("inbox", "reviewer", "--json").json["items"]]
    assert shown == [two, one, three]
    assert worker.take().message.id == two
    assert program("move", two, "--first").code == 4
    assert program("move", one, "--before", two).code == 1
    for words in ([], ["--first", "--before", three]):
        assert program("move", one, *words).code == 2


@pytest.fixture
def asked(door, workers):
    worker = workers.enlist("reviewer")
    question = Question(key="k", action="command", title="rm -rf build", detail="in /src\x1b[2J")
    return door.run(permissions.ask, "reviewer", worker.epoch, "s-1", question, expires_in=3600.0)


def test_requests_are_shown_with_what_is_asked(program, asked):
    ended = program("permissions")
    assert f"{asked.id}  reviewer asks: command" in ended.out
    assert "rm -rf build" in ended.out
    assert "\x1b" not in ended.out
    (request,) = program("permissions", "--json").json["permissions"]
    assert (request["id"], request["state"], request["decision"]) == (asked.id, "open", None)


@pytest.mark.parity("AR-9", "N-4")
@pytest.mark.parametrize(
    ("words", "decision", "reason"),
    [
        (["approve", "ID"], "approve", ""),
        (["approve", "ID", "--session"], "approve_for_session", ""),
        (["deny", "ID", "--reason", "Not here."], "deny", "Not here."),
        (["deny", "ID", "--abort"], "abort", ""),
    ],
)
def test_a_request_is_decided_by_a_short_id(program, asked, words, decision, reason):
    document = program(*(asked.id[:6] if word == "ID" else word for word in words), "--json").json
    assert (document["decision"], document["reason"], document["state"]) == (decision, reason, "decided")
    assert document["decided_by"]
    assert program("permissions", "--json").json == {"permissions": []}
    assert len(program("permissions", "--all", "--json").json["permissions"]) == 1


@pytest.mark.parity("AR-9")
def test_a_choice_is_shown_and_answered(program, door, workers):
    worker = workers.enlist("reviewer")
    choice = Choice(question="Which colour?", options=("Red", "Blue"))
    question = Question(key="k", action="question", title="Which colour?", choices=(choice,))
    asked = door.run(permissions.ask, "reviewer", worker.epoch, "s-1", question, expires_in=3600.0)
    assert "Which colour? [Red | Blue]" in program("permissions").out
    unanswered = program("approve", asked.id)
    assert (unanswered.code, "--answer for each of: Which colour? (Red, Blue)" in unanswered.err) == (4, True)
    document = program("approve", asked.id, "--answer", "Red", "--json").json
    assert document["reply"] == {"answers": ["Red"]}


def test_the_input_of_a_tool_is_changed_with_its_approval(program, door, workers):
    worker = workers.enlist("reviewer")
    question = Question(key="k", action="command", title="rm x", input={"command": "rm x"})
    asked = door.run(permissions.ask, "reviewer", worker.epoch, "s-1", question, expires_in=3600.0)
    for bad in ("no json", "[1]"):
        refused = program("approve", asked.id, "--input", bad)
        assert (refused.code, "--input" in refused.err) == (2, True)
    document = program("approve", asked.id, "--input", '{"command": "ls"}', "--json").json
    assert document["reply"] == {"input": {"command": "ls"}}


@pytest.mark.parity("AR-9", "N-4")
def test_a_later_decision_ends_with_4_and_says_that_it_is_closed(program, asked):
    assert program("deny", asked.id).code == 0
    ended = program("approve", asked.id)
    assert (ended.code, ended.out) == (4, "")
    assert "closed" in ended.err
    assert program("approve", "nothing").code == 1
