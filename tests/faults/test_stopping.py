"""Stopping, signals, and several relays on one home."""

from __future__ import annotations

import signal
import sys

import pytest

pytestmark = pytest.mark.faults

ECHO = {"provider": "echo", "options": {"prefix": "", "delay": 0.01}}
SLEEPER = {"provider": "exec", "options": {"command": ["sh", "-c", "read x; setsid sleep 600"]}}
CARRY_ON = "You were interrupted while working on message"


def agent(settings, **more):
    return {**settings, "options": dict(settings["options"]), **more}


def notes(delivery):
    return " | ".join(step.note for step in delivery.steps)


@pytest.mark.live
@pytest.mark.parity("CO-6")
@pytest.mark.parametrize(("number", "code"), [(signal.SIGTERM, 0), (signal.SIGINT, 130)])
def test_a_stop_interrupts_what_takes_too_long_and_the_next_start_goes_on_uncounted(homes, codex, told, number, code):
    home = homes(c=codex())
    relay = home.start()
    home.ended(home.send("c", "say:hello"))
    session, pid = home.agent("c").session, home.agent("c").pid
    message = home.send("c", body := f"exec:sleep {600 + number};;say:slept")
    home.until(lambda: [one for one in home.processes() if f"sleep {600 + number}".encode() in one[1]], every=0.02)
    assert relay.stop(number) == code
    assert home.processes() == []
    assert (home.delivery(message).state, home.delivery(message).wish) == ("seen", "stop")
    assert home.agent("c").status.kind == "offline"
    home.start()
    (delivery,) = home.ended(message).deliveries
    assert (delivery.state, delivery.attempt, delivery.deaths) == ("answered", 2, 0)
    assert "to be ended: stop" in notes(delivery)
    said = told(body)
    assert (said.count(body), CARRY_ON in said[-1]) == (1, True)
    assert (home.agent("c").session, home.agent("c").pid != pid) == (session, True)


def test_a_stop_waits_for_a_turn_that_is_quick_enough(homes):
    home = homes(a={"provider": "echo", "options": {"prefix": "", "delay": 0.5}})
    relay = home.start()
    message = home.send("a", "hello")
    waiting = home.send("a", "later")
    home.reaches(message, "seen")
    assert relay.stop() == 0
    assert home.delivery(message).state == "answered"
    assert home.delivery(waiting).state == "queued"
    home.start()
    assert (home.ended(waiting).deliveries[0].attempt, home.delivery(message).attempt) == (1, 1)


@pytest.mark.parametrize("provider", ["exec", pytest.param("codex", marks=pytest.mark.live)])
def test_a_second_signal_stops_at_once_and_leaves_nothing_running(homes, codex, provider):
    home = homes(a=codex() if provider == "codex" else agent(SLEEPER), drain=60)
    relay = home.start()
    message = home.send("a", "exec:sleep 600")
    home.until(lambda: [one for one in home.processes() if b"sleep 600" in one[1]], every=0.02)
    relay.send_signal(signal.SIGINT)
    home.status("a", "busy", "stopping")
    assert relay.stop(signal.SIGINT, seconds=10) == 130
    assert home.processes() == []
    home.configure(a=codex() if provider == "codex" else agent(ECHO)).start()
    (delivery,) = home.ended(message).deliveries
    assert (delivery.state, delivery.deaths) == ("answered" if provider == "codex" else "unknown", 0)


@pytest.mark.parametrize("provider", ["echo", pytest.param("codex", marks=pytest.mark.live)])
def test_a_relay_killed_when_it_had_begun_to_interrupt_has_counted_nothing(homes, codex, provider):
    home = homes(a=codex() if provider == "codex" else {"provider": "echo", "options": {"delay": 600}})
    relay = home.start(fault="wished")
    message = home.send("a", "hang:600")
    home.reaches(message, "seen")
    relay.send_signal(signal.SIGTERM)
    relay.fell()
    assert home.delivery(message).wish == "stop"
    home.start()
    (delivery,) = home.ended(message).deliveries
    assert (delivery.state, delivery.deaths) == ("answered" if provider == "codex" else "unknown", 0)


def test_the_second_relay_of_an_agent_is_refused_and_told_who_runs_it(homes):
    home = homes(a=agent(ECHO))
    first = home.start()
    second = home.start(ready=False)
    assert second.popen.wait(30) == 2
    said = second.errors.read_text()
    assert str(first.popen.pid) in said
    assert str(home.path.parent) in said
    assert "--agent" in said
    assert home.ended(home.send("a", "hello")).deliveries[0].state == "answered"
    first.kill()
    home.start()
    assert home.ended(home.send("a", "hello")).deliveries[0].state == "answered"


def test_agents_of_two_relays_on_one_home_reach_each_other(homes):
    ask = "import os, subprocess, sys; subprocess.run([sys.executable, '-m', 'relaykit', 'send', 'b', 'question'])"
    home = homes(a={"provider": "exec", "options": {"command": [sys.executable, "-c", ask]}}, b=agent(ECHO))
    asking, answering = home.start("--agent", "a"), home.start("--agent", "b")
    home.ended(home.send("a", "ask b"))
    (came,) = home.until(lambda: [one for one in home.inbox("a", ended=True) if one.message.sender == "b"])
    assert came.message.body.endswith("question")
    answering.kill()
    later = home.send("b", "are you there?")
    assert home.delivery(later).state == "queued"
    home.start("--agent", "b")
    assert home.ended(later).deliveries[0].state == "answered"
    assert asking.popen.poll() is None


def test_what_any_may_take_is_taken_by_the_one_that_is_left(homes):
    slow = {"provider": "echo", "options": {"prefix": "", "delay": 600}}
    home = homes(a=agent(slow, tags=["pool"]), b=agent(ECHO, tags=["pool"]))
    killed = home.start("--agent", "a")
    seen = home.send("any:tag:pool", "to a alone")
    assert home.reaches(seen, "seen").recipient == "a"
    home.start("--agent", "b")
    killed.kill()
    for _ in range(5):
        (delivery,) = home.ended(home.send("any:tag:pool", "hello")).deliveries
        assert (delivery.state, delivery.recipient) == ("answered", "b")
    assert home.delivery(seen).recipient == "a", "what was handed over waits for the lock"
    home.start("--agent", "a")
    assert home.ended(seen).deliveries[0].state == "unknown"
