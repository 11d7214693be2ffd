"""Claude Code is killed at the moments of a turn, and with it, or instead, the relay that drives it."""

from __future__ import annotations

import json
import os
import random
import signal
from itertools import count

import pytest

pytestmark = [pytest.mark.faults, pytest.mark.live, pytest.mark.parity("N-2")]

CARRY_ON = "You were interrupted while working on message"
NEXT = "say:next in the queue"
DEATHS = 2
"""Kills of each moment."""
numbers = count(1)


def notes(delivery):
    return " | ".join(step.note for step in delivery.steps)


def asked(stub, body):
    return [entry for entry in stub.requests() if body in json.dumps(entry.get("body", {}))]


def said(stub, part):
    """Return what the model was told by people, in the conversation of the last request that had a text in it."""
    messages = asked(stub, part)[-1]["body"]["messages"]
    contents = [message["content"] for message in messages if message["role"] == "user"]
    blocks = [[{"text": one}] if isinstance(one, str) else one for one in contents]
    return [block["text"] for content in blocks for block in content if "text" in block]


def in_text(home, stub, number):
    message = home.send("c", body := f"gate:never-{number}:a text that never ends")
    home.reaches(message, "seen")
    home.until(lambda: asked(stub, body), every=0.01)
    return message, body


def in_a_command(home, _stub, number):
    message = home.send("c", body := f"exec:sleep {600000 + number};;say:slept")
    home.until(lambda: [one for one in home.processes() if f"sleep {600000 + number}".encode() in one[1]], every=0.02)
    return message, body


def in_a_question(home, _stub, number):
    message = home.send("c", body := f"exec:touch {home.path.parent}/{number};;say:touched")
    home.until(lambda: [one for one in home.requests() if one.state == "open"])
    return message, body


WORKED = [in_a_command, in_a_question]


@pytest.fixture
def home(homes, claude):
    home = homes(c=claude())
    home.relay = home.start()
    home.ended(home.send("c", "say:hello"))
    return home


def comes_back(home, pid, *, at_once):
    """Wait until another claude runs; ``at_once`` spares it the rest, and keeps it from being given up."""
    if at_once:
        home.until(lambda: home.agent("c").status.kind == "error")
        home.order("c", "restart")
    home.until(lambda: home.agent("c").pid not in (pid, None))


def holds(home, stub, message, body):
    """See that begun work was gone on with, and not begun anew."""
    trace = home.ended(message)
    (delivery,) = trace.deliveries
    assert (delivery.state, delivery.attempt, delivery.deaths) == ("answered", 2, 1), notes(delivery)
    assert "its turn was cut off" in notes(delivery), notes(delivery)
    texts = said(stub, CARRY_ON)
    assert texts.count(body) <= 1
    *_, last = (text for text in texts if text != NEXT)  # which may have followed already
    assert CARRY_ON in last
    assert message in last


@pytest.mark.parametrize("moment", WORKED)
def test_claude_killed_at_work_comes_back_and_goes_on(home, messages_stub, moment):
    session = home.agent("c").session
    for turn in range(DEATHS):
        message, body = moment(home, messages_stub, next(numbers))
        waiting = home.send("c", NEXT)
        of_turn = home.processes()
        pid = home.kill_child("c", provider="claude")
        comes_back(home, pid, at_once=turn > 0)
        holds(home, messages_stub, message, body)
        assert home.ended(waiting).deliveries[0].attempt == 1
        assert home.agent("c").session == session
        assert not {one[0] for one in of_turn} & {one[0] for one in home.processes()}
    assert all(request.state == "withdrawn" for request in home.requests())


def test_claude_killed_in_its_text_is_gone_on_with_or_told_again(home, messages_stub):
    for turn in range(DEATHS):
        message, body = in_text(home, messages_stub, next(numbers))
        pid = home.kill_child("c", provider="claude")
        messages_stub.open_gate(body.split(":")[1])
        comes_back(home, pid, at_once=turn > 0)
        (delivery,) = home.ended(message).deliveries
        assert (delivery.state, delivery.attempt, delivery.deaths) == ("answered", 2, 1)
        assert "cut off" in notes(delivery) or "history does not have it" in notes(delivery)


@pytest.mark.parametrize("moment", WORKED)
def test_a_relay_killed_at_work_takes_claude_with_it_and_the_next_goes_on(home, messages_stub, moment):
    session = home.agent("c").session
    message, body = moment(home, messages_stub, next(numbers))
    if moment is in_a_question:
        # One that runs may see the end of its input before the signal, and end its turn as one whose question failed.
        os.kill(home.agent("c").pid, signal.SIGSTOP)
    home.relay.kill()
    home.relay = home.start()
    holds(home, messages_stub, message, body)
    assert home.agent("c").session == session
    assert home.left() == []


def test_claude_killed_at_any_moment_of_a_short_turn_answers_once_and_runs_nothing_twice(homes, claude):
    chance = random.Random(os.environ.get("RELAYKIT_FAULTS_SEED", "7"))
    home = homes(c=claude(approval="auto"))
    relay = home.start()
    for _ in range(6 * DEATHS):
        pid = home.agent("c").pid
        done = home.path.with_name(f"done-{next(numbers)}")
        message = home.send("c", f"exec:echo once >> {done};;say:finished")
        relay.lives_for(chance.uniform(0, 0.5))
        home.kill_child("c", pid, provider="claude")
        comes_back(home, pid, at_once=True)
        trace = home.ended(message)
        (delivery,) = trace.deliveries
        assert (delivery.state, delivery.attempt <= 2, len(trace.replies)) == ("answered", True, 1), notes(delivery)
        assert not done.exists() or done.read_text() == "once\n", notes(delivery)
        assert done.exists() or delivery.attempt == 2, notes(delivery)


def test_a_text_that_claude_never_read_is_handed_over_again(home, messages_stub):
    pid = home.agent("c").pid
    os.kill(pid, signal.SIGSTOP)
    message = home.send("c", body := f"say:hello {next(numbers)}")
    home.reaches(message, "leased")
    home.kill_child("c", pid, provider="claude")
    comes_back(home, pid, at_once=True)
    (delivery,) = home.ended(message).deliveries
    assert (delivery.state, delivery.attempt, delivery.deaths) == ("answered", 2, 1)
    assert said(messages_stub, body).count(body) == 1
