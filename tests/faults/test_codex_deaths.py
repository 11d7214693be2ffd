"""Codex is killed at every moment of a turn, and with it, or instead, the relay that drives it."""

from __future__ import annotations

import json
import os
import random
import shutil
import signal
from itertools import count
from pathlib import Path

import pytest

from relaykit.mailbox import orders

pytestmark = [pytest.mark.faults, pytest.mark.live, pytest.mark.parity("N-2")]

NEXT = "say:next in the queue"
CARRY_ON = "You were interrupted while working on message"
DEATHS = 4
"""Kills of each moment."""
numbers = count(1)


def notes(delivery):
    return " | ".join(step.note for step in delivery.steps)


def asked(stub, body):
    return [entry for entry in stub.requests() if body in json.dumps(entry.get("body", {}))]


def in_a_silent_turn(home, stub, number):
    message = home.send("c", body := f"hang:600.{number:06}")
    home.reaches(message, "seen")
    home.until(lambda: asked(stub, body), every=0.01)
    return message, body


def in_text(home, stub, number):
    message = home.send("c", body := f"gate:never-{number}:a text that never ends")
    home.reaches(message, "seen")
    home.until(lambda: asked(stub, body), every=0.01)
    return message, body


def in_a_command(home, stub, number):
    message = home.send("c", body := f"exec:sleep {600000 + number};;say:slept")
    home.until(lambda: [one for one in home.processes() if f"sleep {600000 + number}".encode() in one[1]], every=0.02)
    return message, body


def in_a_question(home, stub, number):
    message = home.send("c", body := f"esc:touch {home.path.parent}/{number};;say:touched")
    home.until(lambda: [one for one in home.requests() if one.state == "open"])
    return message, body


MOMENTS = [in_a_silent_turn, in_text, in_a_command, in_a_question]


@pytest.fixture
def home(homes, codex):
    home = homes(c=(agent := codex()))
    home.codex = Path(agent["options"]["codex_home"])
    home.relay = home.start()
    # Until its first turn codex has written nothing of the session down, and it could not be gone on with.
    home.ended(home.send("c", "say:hello"))
    return home


def comes_back(home, pid, *, at_once):
    """Wait until another codex runs; ``at_once`` spares it the rest, and keeps it from being given up."""
    if at_once:
        home.until(lambda: home.agent("c").status.kind == "error")
        home.order("c", "restart")
    home.until(lambda: home.agent("c").pid not in (pid, None))


def holds(home, told, message, body):
    """See that begun work was gone on with, and not begun anew."""
    trace = home.ended(message)
    (delivery,) = trace.deliveries
    assert (delivery.state, delivery.attempt, delivery.deaths) == ("answered", 2, 1), trace
    assert "taken over from a process that died" in notes(delivery)
    assert "its turn was cut off" in notes(delivery)
    said = told(body)
    assert said.count(body) == 1
    *_, last = (text for text in said if text != NEXT)  # which may have followed already
    assert CARRY_ON in last
    assert message in last


@pytest.mark.parametrize("moment", MOMENTS)
def test_codex_killed_in_a_turn_comes_back_and_goes_on(home, stub, told, moment):
    session = home.agent("c").session
    for turn in range(DEATHS):
        message, body = moment(home, stub, next(numbers))
        waiting = home.send("c", NEXT)
        of_turn = home.processes()
        pid = home.kill_child("c")
        comes_back(home, pid, at_once=turn > 0)
        holds(home, told, message, body)
        (delivery,) = home.ended(waiting).deliveries
        assert delivery.attempt == 1, "\n".join(map(str, delivery.steps))
        assert home.agent("c").session == session
        assert not {one[0] for one in of_turn} & {one[0] for one in home.processes()}
    for request in home.requests():
        assert request.state == "withdrawn"
        late = home.command("approve", request.id)
        assert (late.returncode, "withdrawn" in late.stderr) == (4, True), late


@pytest.mark.parametrize("moment", MOMENTS)
def test_a_relay_killed_in_a_turn_takes_codex_with_it_and_the_next_goes_on(home, stub, told, moment):
    session = home.agent("c").session
    for _ in range(2):
        message, body = moment(home, stub, next(numbers))
        home.relay.kill()
        home.relay = home.start()
        holds(home, told, message, body)
        assert home.agent("c").session == session
        assert home.left() == []
    assert all(request.state == "withdrawn" for request in home.requests())


def test_codex_killed_while_it_starts_has_cost_the_message_nothing(home):
    chance = random.Random(7)
    for _ in range(DEATHS):
        before = home.written_down("c")
        home.order("c", "restart")
        message = home.send("c", "say:hello")
        (pid,) = home.until(lambda old=before: [one for one in home.written_down("c") if one not in old], every=0.002)
        home.relay.lives_for(chance.uniform(0, 0.1))
        home.kill_child("c", pid)
        comes_back(home, pid, at_once=True)
        (delivery,) = home.ended(message).deliveries
        assert (delivery.state, delivery.attempt) == ("answered", 1 + delivery.deaths), notes(delivery)


def test_a_text_that_codex_never_read_is_handed_over_again(home, told):
    for _ in range(DEATHS):
        pid = home.agent("c").pid
        os.kill(pid, signal.SIGSTOP)
        message = home.send("c", body := f"say:hello {next(numbers)}")
        home.reaches(message, "leased")
        home.kill_child("c", pid)
        comes_back(home, pid, at_once=True)
        trace = home.ended(message)
        (delivery,) = trace.deliveries
        assert (delivery.state, delivery.attempt, delivery.deaths) == ("answered", 2, 1), trace
        assert "history does not have it" in notes(delivery)
        assert told(body).count(body) == 1


def test_codex_killed_at_any_moment_of_a_short_turn_answers_once(home, told):
    chance = random.Random(os.environ.get("RELAYKIT_FAULTS_SEED", "7"))
    for _ in range(4 * DEATHS):
        pid = home.agent("c").pid
        done = home.path.with_name(f"done-{next(numbers)}")
        twice = done.with_name(f"{done.name}-twice")
        # Done in one step of the kernel's: a shell that is killed between opening a file and writing leaves it empty.
        message = home.send("c", body := f"exec:mkdir {done} || mkdir {twice};;say:finished")
        home.relay.lives_for(chance.uniform(0, 0.2))
        home.kill_child("c", pid)
        comes_back(home, pid, at_once=True)
        (delivery,) = home.ended(message).deliveries
        assert (delivery.state, delivery.attempt <= 2) == ("answered", True)
        # Killed before it wrote the message down as its turn's, codex has a turn with no items, or none: no work was done.
        again = "history does not have it" in notes(delivery)
        assert told(body).count(body) <= 1 + again, notes(delivery)
        assert not twice.exists(), notes(delivery)
        assert done.exists() or delivery.attempt == 2, notes(delivery)


def test_codex_killed_while_it_compacts_fails_the_command_and_serves_on(home):
    chance = random.Random(7)
    for _ in range(DEATHS):
        pid = home.agent("c").pid
        command = home.order("c", "compact")
        home.until(lambda one=command: home.door.run(orders.command, one).state != "accepted", every=0.002)
        home.relay.lives_for(chance.uniform(0, 0.02))
        home.kill_child("c", pid)
        comes_back(home, pid, at_once=True)
        ended = home.until(lambda one=command: (now := home.door.run(orders.command, one)).state.ended and now)
        assert ended.state == "succeeded" or ended.result
        assert home.ended(home.send("c", "say:hello")).replies[0].body == "hello"


def test_a_message_that_kills_codex_each_time_is_dead_at_the_second_and_the_next_is_served(homes, codex, stub):
    home = homes(c=codex(on_interrupted="redeliver"))
    home.start()
    poison = home.send("c", "gate:never:poison")
    harmless = home.send("c", "say:harmless")
    for attempt in (1, 2):
        home.until(lambda now=attempt: (one := home.delivery(poison)).state == "seen" and one.attempt == now)
        home.kill_child("c")
    trace = home.ended(poison)
    assert (trace.deliveries[0].state, trace.deliveries[0].deaths) == ("dead", 2)
    assert "2 processes died holding it" in trace.deliveries[0].reason
    assert home.ended(harmless).replies[0].body == "harmless"


def test_a_question_of_a_session_that_is_gone_for_ever_is_withdrawn_too(home, stub):
    message, _ = in_a_question(home, stub, next(numbers))
    home.relay.kill()
    shutil.rmtree(home.codex / "sessions")
    home.start()
    (delivery,) = home.ended(message).deliveries
    assert (delivery.state, "history cannot be read" in delivery.reason) == ("unknown", True)
    (request,) = home.requests()
    assert request.state == "withdrawn"
    assert home.command("approve", request.id).returncode == 4
