"""``trace``, ``inbox``, ``agents``, ``status``, ``sessions``."""

from __future__ import annotations

import re
import time

import pytest

from relaykit.mailbox import conversing, letters
from relaykit.model import Draft, State, StatusKind, WorkItem


def put(door, to="user", body="hello", sender="user", **more):
    return door.run(letters.put, Draft(sender=sender, to=to, body=body, **more)).message


@pytest.mark.parity("N-1")
def test_a_trace_has_every_step_with_its_time_and_the_end_with_its_reason(program, door, workers):
    worker = workers.enlist("reviewer")
    message = put(door, "reviewer")
    worker.answer("done")
    document = program("trace", message.id, "--json").json
    assert document["id"] == message.id
    (delivery,) = document["deliveries"]
    assert (delivery["recipient"], delivery["state"]) == ("reviewer", "answered")
    assert delivery["reason"] == "the provider completed turn-1"
    states = [step["state"] for step in delivery["steps"]]
    assert states == ["queued", "leased", "delivered", "seen", "answered"]
    times = [step["at"] for step in delivery["steps"]]
    assert times == sorted(times)
    assert times[0] > 1e9
    assert [reply["body"] for reply in document["replies"]] == ["done"]


def test_a_trace_for_people_shows_local_time_and_what_passed_between(program, door, workers):
    worker = workers.enlist("reviewer")
    message = put(door, "reviewer")
    worker.fail(State.FAILED, "the context is full")
    ended = program("trace", message.id[:8])
    assert ended.code == 0
    assert "to reviewer: failed: the context is full" in ended.out
    steps = [line for line in ended.out.splitlines() if " s  " in line]
    assert [line.split()[3] for line in steps] == ["queued", "leased", "delivered", "seen", "failed"]
    assert all(line.split()[1].startswith("+") for line in steps)


@pytest.mark.parity("AR-6")
def test_a_task_is_shown_with_the_turn_that_took_it(program, door, workers):
    worker = workers.enlist("reviewer")
    sent = program("send", "reviewer", "The build is red.", "--task", "mend the build")
    message = sent.out.strip()
    (item,) = program("inbox", "reviewer", "--json").json["items"]
    assert (item["task"]["title"], item["task"]["state"]) == ("mend the build", "open")
    door.run(conversing.react, message, "reviewer", "on it")
    worker.answer("done")
    (task,) = program("trace", message, "--json").json["tasks"]
    assert (task["state"], task["agent"], task["turn"]) == ("done", "reviewer", "turn-1")
    shown = program("trace", message).out
    assert "  task mend the build: done, reviewer" in shown
    assert "  reviewer: on it" in shown
    refused = program("send", "reviewer", "x", "--task", "two\nlines")
    assert refused.code == 4
    assert "title" in refused.err


@pytest.mark.parametrize("command", ["trace", "cancel", "requeue"])
def test_an_unknown_id_ends_with_1_and_is_named(program, command):
    ended = program(command, "no-such-id")
    assert (ended.code, ended.out) == (1, "")
    assert "'no-such-id'" in ended.err


def test_an_inbox_shows_what_waits_for_a_person_once(program, door):
    put(door, body="first\nline two")
    put(door, body="second")
    shown = program("inbox")
    assert shown.code == 0
    assert shown.out.index("    first\n    line two\n") < shown.out.index("    second\n")
    assert program("inbox").out == "nothing waits for user\n"
    everything = program("inbox", "--all", "--json").json["items"]
    assert [(item["body"], item["state"]) for item in everything] == [
        ("first\nline two", "acknowledged"),
        ("second", "acknowledged"),
    ]


def test_an_answer_in_an_inbox_names_what_it_answers(program, door, workers):
    worker = workers.enlist("reviewer")
    asked = [put(door, "reviewer", body).id for body in ("Is it\nsafe?", "Is it fast?")]
    for _ in asked:
        worker.answer("Yes.")
    shown = program("inbox", "--keep").out
    assert f"    in answer to {asked[0]}: Is it safe?\n    Yes.\n" in shown
    assert f"    in answer to {asked[1]}: Is it fast?\n    Yes.\n" in shown


def test_keep_leaves_an_inbox_as_it_is(program, door):
    put(door)
    assert "hello" in program("inbox", "--keep").out
    assert "hello" in program("inbox").out


@pytest.mark.parity("N-3")
def test_the_queue_of_an_agent_is_shown_and_never_acknowledged(program, door, workers):
    workers.enlist("reviewer")
    put(door, "reviewer")
    for _ in range(2):
        assert [item["state"] for item in program("inbox", "reviewer", "--json").json["items"]] == ["queued"]


def test_an_inbox_can_be_waited_for(program, door):
    with program.start("inbox", "--wait", "20") as waiting:
        put(door, body="at last")
        out, _ = waiting.communicate(timeout=30)
    assert waiting.returncode == 0
    assert "at last" in out
    ended = program("inbox", "--wait", "0.1")
    assert (ended.code, ended.out) == (5, "")


def test_agents_that_nobody_has_run_are_no_error(program):
    assert program("agents", "--json").json == {"agents": []}
    assert program("status", "--json").json["agents"] == []
    assert program("sessions", "--json").json == {"sessions": []}
    for words in (["agents"], ["status"], ["sessions"], ["permissions"], ["inbox"]):
        ended = program(*words)
        assert ended.code == 0
        assert ended.out


def test_agents_shows_the_addresses_that_each_answers_to(program, workers):
    workers.enlist("reviewer", tags=["review", "python"])
    assert "tag:review tag:python" in program("agents").out
    (agent,) = program("agents", "--json").json["agents"]
    assert (agent["id"], agent["tags"], agent["provider"]) == ("reviewer", ["review", "python"], "echo")


@pytest.mark.parity("AR-15")
def test_what_the_provider_of_an_agent_can_do_is_reported(program):
    assert program("agents", "--json").json == {"agents": []}
    with program.relay("--provider", "echo", "--agent", "main"):
        (agent,) = program("agents", "--json").json["agents"]
        told = program("status", "main").out.splitlines()
        assert "can:" not in program("status").out
    assert {name for name, value in agent["able"].items() if value} == {"join", "interrupt", "streaming"}
    assert "can: join, interrupt, streaming" in told
    assert any(line.startswith("cannot: ") and "set model" in line and "attach" in line for line in told)


@pytest.mark.parity("AR-7", "N-11")
def test_status_is_held_against_the_lock_and_the_heartbeat(program, workers):
    worker = workers.enlist("reviewer")
    worker.report(StatusKind.BUSY, reason="turn", work=(WorkItem(kind="turn", id="t-1"),))
    gone = program("status", "reviewer", "--json").json["agents"][0]
    assert (gone["status"]["kind"], gone["status"]["reason"], gone["pid"]) == ("offline", "gone", None)
    with workers.locked("reviewer"):
        real = program("status", "--json").json
    assert real["agents"][0]["status"]["kind"] == "busy"
    assert real["agents"][0]["status"]["work"] == [{"kind": "turn", "id": "t-1", "label": ""}]
    assert [relay["alive"] for relay in real["relays"]] == [True]


@pytest.mark.parity("AR-7", "N-11")
def test_a_relay_without_a_sign_of_life_makes_its_agents_offline(program, workers):
    workers.enlist("reviewer", beat=60)
    with workers.locked("reviewer"):
        agent = program("status", "--json").json["agents"][0]
        assert "gives no sign of life" in program("status").out
    assert (agent["status"]["kind"], agent["status"]["reason"]) == ("offline", "stale")


def test_a_relay_that_was_killed_is_not_reported_as_alive(program):
    with program.relay("--provider", "echo", "--agent", "main") as relay:
        assert [one["alive"] for one in program("status", "--json").json["relays"]] == [True]
        assert f"relays: {relay.pid}\n" in program("status").out
        relay.kill()
        relay.wait(20)
        document = program("status", "--json").json
        shown, found = program("status").out, program("doctor").out
    assert "ended without taking leave" in found
    assert f"running: process {relay.pid}" not in found
    assert [(one["pid"], one["alive"], one["url"]) for one in document["relays"]] == [(relay.pid, False, None)]
    assert document["agents"][0]["status"]["reason"] == "gone"
    assert shown.endswith("no relay runs\n")


def test_a_time_of_another_day_has_its_date(program, workers):
    worker = workers.enlist("reviewer")
    for since, dated in ((time.time(), False), (1.5e9, True)):
        worker.report(StatusKind.ERROR, reason="paused", since=since)
        with workers.locked("reviewer"):
            shown = program("status").out
        assert bool(re.search(r"since \d{4}-\d\d-\d\d \d\d:\d\d:\d\d", shown)) is dated, shown


def test_looking_at_a_lock_neither_makes_nor_holds_it(program, workers):
    workers.enlist("reviewer")
    program("status")
    assert not (program.home / "locks").exists()


def test_status_of_an_unknown_agent_ends_with_1(program):
    assert program("status", "nobody").code == 1
