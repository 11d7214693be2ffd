"""A message that takes a process down each time: dead at the second death, and the next one is served."""

from __future__ import annotations

import pytest

pytestmark = pytest.mark.faults


def victim(whom):
    """Return an agent whose command kills itself, or the relay, whenever it reads ``poison``."""
    script = f'read text; case "$text" in poison) kill -9 {whom};; esac; echo "$text"'
    return {"provider": "exec", "options": {"command": ["sh", "-c", script]}, "on_interrupted": "redeliver"}


def is_dead(home, poison):
    (delivery,) = home.ended(poison).deliveries
    assert (delivery.state, delivery.deaths, delivery.attempt) == ("dead", 2, 2)
    assert delivery.reason == "2 processes died holding it"
    taken_over = [step for step in delivery.steps if step.note == "taken over from a process that died"]
    assert len(taken_over) == 2


def test_one_that_kills_its_agents_process(homes):
    home = homes(a=victim("$$"))
    relay = home.start()
    poison, harmless = home.send("a", "poison"), home.send("a", "harmless")
    is_dead(home, poison)
    trace = home.ended(harmless)
    assert (trace.replies[0].body, trace.deliveries[0].attempt, trace.deliveries[0].deaths) == ("harmless", 1, 0)
    assert relay.popen.poll() is None


def test_one_that_kills_the_relay(homes):
    home = homes(a=victim("$PPID"), b=victim("$$"))
    home.start()
    poison, harmless = home.send("a", "poison"), home.send("a", "harmless")
    home.relays[-1].fell()
    home.start(ready=False).fell()
    relay = home.start()
    is_dead(home, poison)
    assert home.ended(harmless).deliveries[0].attempt == 1
    assert home.ended(home.send("b", "hello")).replies[0].body == "hello"
    assert relay.popen.poll() is None
