"""A codex that outlives its relay: the relay is killed at every moment of a turn, codex too, and both."""

from __future__ import annotations

import json
import os
import random
import signal
from itertools import count
from pathlib import Path

import pytest

from relaykit.relay.ownership import LASTING_FILE, children_directory

pytestmark = [pytest.mark.faults, pytest.mark.live, pytest.mark.parity("N-2", "AR-18")]

CARRY_ON = "You were interrupted while working on message"
STEPS = ("leased", "submitted", "delivered", "seen", "ended", "settled")
numbers = count(1)


def notes(delivery):
    return " | ".join(step.note for step in delivery.steps)


def asked(stub, body):
    return [entry for entry in stub.requests() if body in json.dumps(entry.get("body", {}))]


@pytest.fixture
def home(homes, codex):
    agent = codex()
    agent["options"] |= {"detached": True}
    home = homes(c=agent)
    home.codex = Path(agent["options"]["codex_home"])
    home.relay = home.start()
    home.ended(home.send("c", "say:hello"))
    return home


def once(home, script="say:finished"):
    """Return a script that leaves a mark each time it runs, and where that is."""
    done = home.path.with_name(f"done-{next(numbers)}")
    return done, f"exec:echo once >> {done};;{script}"


def answered_once(home, message, done, body, told):
    """See that a message was answered, its command run once, and nothing begun twice; return its delivery."""
    trace = home.ended(message)
    (delivery,), (reply,) = trace.deliveries, trace.replies
    assert (delivery.state, reply.body) == ("answered", "finished"), notes(delivery)
    assert done.read_text() == "once\n", notes(delivery)
    assert told(body).count(body) == 1, notes(delivery)
    assert delivery.attempt == 1 or "history does not have it" in notes(delivery), notes(delivery)
    return delivery


@pytest.mark.parametrize("step", STEPS)
def test_a_relay_killed_at_a_step_leaves_codex_at_work_and_the_next_one_joins_it(home, told, step):
    pid = home.agent("c").pid
    home.relay.stop()
    home.relay = home.start(fault=step)
    done, body = once(home)
    message = home.send("c", body)
    home.relay.fell()
    assert home.written_down("c") == [pid]
    home.start()
    delivery = answered_once(home, message, done, body, told)
    assert delivery.attempt == (2 if step == "leased" else 1), notes(delivery)
    assert home.ended(home.send("c", "say:and on")).replies[0].body == "and on"
    assert home.agent("c").pid == pid


@pytest.mark.parametrize("step", STEPS)
def test_the_very_first_turn_of_a_session_is_joined_again_too(homes, codex, told, step):
    agent = codex()
    agent["options"] |= {"detached": True}
    home = homes(c=agent)
    relay = home.start(fault=step)
    done, body = once(home)
    message = home.send("c", body)
    relay.fell()
    home.start()
    answered_once(home, message, done, body, told)


def test_a_relay_killed_at_any_moment_loses_nothing_and_nothing_is_run_twice(home, told):
    chance = random.Random(os.environ.get("RELAYKIT_FAULTS_SEED", "11"))
    pid = home.agent("c").pid
    for _ in range(16):
        done, body = once(home)
        message = home.send("c", body)
        home.relay.lives_for(chance.uniform(0, 0.15))
        home.relay.kill()
        home.relay = home.start()
        answered_once(home, message, done, body, told)
        assert home.written_down("c") == [pid]


def test_one_turn_outlives_relay_after_relay_and_answers_once(home, stub, told):
    done, body = once(home, f"gate:lasting-{next(numbers)}:finished")
    message = home.send("c", body)
    home.until(lambda: len(asked(stub, body)) > 1, every=0.02)
    for _ in range(4):
        home.relay.kill()
        home.relay = home.start()
        home.status("c", "busy", "turn")
    home.relay.kill()
    stub.open_gate(body.split("gate:")[1].split(":")[0])
    home.start()
    delivery = answered_once(home, message, done, body, told)
    assert (delivery.attempt, delivery.deaths) == (1, 1), "a death counts where the text was handed over"


@pytest.mark.parametrize("step", ["asked", "decided"])
@pytest.mark.parity("N-4")
def test_a_question_outlives_the_relay_and_is_answered_once(home, step):
    home.relay.stop()
    home.relay = home.start(fault=step)
    outside = home.codex / f"outside-{next(numbers)}"
    message = home.send("c", f"esc:echo once >> {outside};;say:finished")
    (request,) = home.until(lambda: [one for one in home.requests() if one.state == "open"])
    if step == "decided":
        assert home.command("approve", request.id).returncode == 0
    home.relay.fell()
    if step == "asked":
        assert home.command("approve", request.id).returncode == 0, "it is answered while nobody runs the agent"
    home.start()
    (reply,) = home.ended(message).replies
    assert (reply.body, outside.read_text()) == ("finished", "once\n")
    (kept,) = home.requests()
    assert (kept.id, kept.state) == (request.id, "decided")


@pytest.mark.parity("N-4")
def test_a_question_stays_open_over_the_death_of_the_relay_and_is_answered_after_it(home):
    outside = home.codex / f"outside-{next(numbers)}"
    message = home.send("c", f"patch:{outside}|a line;;say:finished")
    (request,) = home.until(lambda: [one for one in home.requests() if one.state == "open"])
    home.relay.kill()
    home.start()
    home.status("c", "busy", "permission")
    assert [(one.id, one.state) for one in home.requests()] == [(request.id, "open")]
    assert "a line" in home.command("permissions").stdout
    assert home.command("approve", request.id).returncode == 0
    (reply,) = home.ended(message).replies
    assert (reply.body, outside.read_text()) == ("finished", "a line\n")


def test_a_wish_that_nobody_was_told_of_is_told_by_the_next_relay(home):
    home.relay.stop()
    home.relay = home.start(fault="wished")
    message = home.send("c", f"gate:never-{next(numbers)}:half and half")
    home.reaches(message, "seen")
    home.order("c", "interrupt")
    home.relay.fell()
    home.start()
    (delivery,) = home.ended(message).deliveries
    assert (delivery.state, delivery.reason) == ("interrupted", "it was interrupted on request")


@pytest.mark.parametrize("both", [False, True])
def test_a_detached_codex_that_is_killed_is_started_again_and_goes_on(home, stub, told, both):
    for _ in range(3):
        pid = home.agent("c").pid
        message = home.send("c", body := f"gate:never-{next(numbers)}:half and half")
        home.reaches(message, "seen")
        home.until(lambda text=body: asked(stub, text), every=0.01)
        if both:
            home.relay.kill()
        home.kill_child("c", pid)
        if both:
            home.relay = home.start()
        else:
            home.until(lambda: home.agent("c").status.kind == "error")
            home.order("c", "restart")
        trace = home.ended(message)
        (delivery,) = trace.deliveries
        assert (delivery.state, delivery.attempt) == ("answered", 2), notes(delivery)
        assert told(body).count(body) == 1
        assert CARRY_ON in told(body)[-1]
        assert home.agent("c").pid != pid


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_the_end_of_the_relay_lets_go_of_it_and_a_stop_without_a_relay_ends_it(home, stub, number):
    pid = home.agent("c").pid
    message = home.send("c", body := f"gate:slow-{next(numbers)}:first and second half")
    home.until(lambda: asked(stub, body), every=0.02)
    home.reaches(message, "seen")
    assert home.relay.stop(number) == (130 if number == signal.SIGINT else 0)
    assert home.written_down("c") == [pid]
    assert f"detached process {pid} runs on" in home.command("status").stdout
    assert f"detached process {pid} runs, and no relay does" in home.command("doctor").stdout
    stub.open_gate(body.split(":")[1])
    home.relay = home.start()
    (delivery,) = home.ended(message).deliveries
    assert (delivery.state, delivery.attempt, delivery.deaths) == ("answered", 1, 0), notes(delivery)
    home.relay.stop(number)
    ended = home.command("stop", "c")
    assert f"its detached process {pid} was ended" in ended.stdout
    assert (home.written_down("c"), home.left()) == ([], [])
    assert "detached" not in home.command("status").stdout


@pytest.mark.parametrize("order", ["stop", "kill", "restart"])
def test_an_order_ends_it(home, order):
    pid = home.agent("c").pid
    assert home.command(order, "c").returncode == 0
    if order == "restart":
        home.until(lambda: home.agent("c").pid not in (pid, None))
    assert pid not in home.written_down("c")
    assert pid not in [one[0] for one in home.processes()]


@pytest.mark.parity("AR-8")
def test_a_reconnect_drops_the_connection_and_joins_the_turn_that_runs(home, stub, told):
    pid = home.agent("c").pid
    done, body = once(home, f"gate:joined-{next(numbers)}:finished")
    message = home.send("c", body)
    home.until(lambda: len(asked(stub, body)) > 1, every=0.02)
    epoch = home.agent("c").epoch
    assert home.command("reconnect", "c").returncode == 0
    home.until(lambda: home.agent("c").epoch > epoch, every=0.02)
    home.status("c", "busy", "turn")
    stub.open_gate(body.split("gate:")[1].split(":")[0])
    delivery = answered_once(home, message, done, body, told)
    assert (delivery.attempt, delivery.deaths, home.agent("c").pid) == (1, 0, pid), notes(delivery)


@pytest.mark.parity("N-5")
def test_the_relays_tools_answer_again_once_the_next_relay_has_joined(homes, codex):
    agent = codex()
    agent["options"] |= {"detached": True, "model": "stub-model"}
    home = homes(c=agent)
    home.relay = home.start()

    def told_by_its_tool():
        mark = f"n{next(numbers)}"
        (reply,) = home.ended(home.send("c", f"tool:whoami|{{}};;recall:{mark}")).replies
        assert f"recall:{mark}" in reply.body, "it names the message that is worked on"
        return reply.body

    assert '"name": "c"' in told_by_its_tool()
    pid = home.agent("c").pid
    for _ in range(2):
        home.relay.kill()
        home.relay = home.start()
        assert '"name": "c"' in told_by_its_tool()
        assert home.agent("c").pid == pid
    kept = children_directory(home.path, "c") / LASTING_FILE
    token = kept.read_text()
    assert kept.stat().st_mode & 0o777 == 0o600
    assert home.command("restart", "c").returncode == 0
    assert '"name": "c"' in told_by_its_tool()
    assert kept.read_text() != token, "another process has another token"
