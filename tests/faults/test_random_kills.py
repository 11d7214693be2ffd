"""Relays killed at random moments while messages keep coming; ``RELAYKIT_FAULTS_SEED`` repeats a run."""

from __future__ import annotations

import json
import os
import random
import subprocess
import sys
from collections import Counter
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest

from relaykit.model import MessageKind

pytestmark = [pytest.mark.faults, pytest.mark.parity("N-2")]

SENDER = Path(__file__).with_name("sender.py")
KILLS, CODEX_KILLS = 50, 20
SECONDS = 60.0
ECHO = {"delay": 0.02, "prefix": ""}


@pytest.fixture
def seed():
    chosen = os.environ.get("RELAYKIT_FAULTS_SEED") or str(random.SystemRandom().randrange(10**6))
    sys.stdout.write(f"RELAYKIT_FAULTS_SEED={chosen}\n")
    return chosen


@contextmanager
def sending(home, name, seed, pause, *to):
    """Have another process send; yields the list of what was accepted, which is whole when it was left."""
    accepted = home.path.with_name(f"accepted-{name}")
    argv = [sys.executable, str(SENDER), str(home.path), name, seed, str(pause), *to]
    said = []
    with (
        accepted.open("w") as lines,
        subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=lines, env=home.environment()) as process,
    ):
        try:
            yield said
        finally:
            process.stdin.close()
            assert process.wait(SECONDS) == 0
    said += [json.loads(line) for line in accepted.read_text().splitlines()]


def agent(provider, options, **more):
    return {"provider": provider, "options": options, **more}


def kill_at_random(home, lanes, chance, times):
    """Kill one of several relays after another, each at a moment of its own, and start it again at once."""
    running = {lane: home.start(*lane, ready=False) for lane in lanes}
    for _ in range(times):
        lane = chance.choice(lanes)
        if chance.random() < 0.8:
            running[lane].ready()
        running[lane].lives_for(chance.uniform(0, 0.25))
        running[lane].kill()
        running[lane] = home.start(*lane, ready=False)
    for relay in running.values():
        relay.kill()


def holds(home, accepted, *, history):
    """See to every message what is promised of it, and that the answers kept the order of their questions."""
    ends = Counter()
    answered = {}
    for one in accepted:
        (delivery,) = home.ended(one["id"], SECONDS).deliveries
        ends[delivery.state] += 1
        assert delivery.state in ("answered", "unknown", "dead"), delivery
        assert (delivery.state == "dead") == (delivery.deaths >= 2), delivery
        assert delivery.state != "unknown" or (delivery.recipient not in history and delivery.deaths == 1), delivery
        for reply in home.trace(one["id"]).replies:
            if reply.kind is not MessageKind.NOTICE and not one["to"].startswith("any:"):
                answered.setdefault((reply.sender, reply.to), []).append((one["number"], reply))
    for numbers in answered.values():
        place = {item.message.id: place for place, item in enumerate(home.inbox(numbers[0][1].to))}
        order = [place[reply.id] for _, reply in sorted(numbers, key=lambda pair: pair[0])]
        assert order == sorted(order)
    sys.stdout.write(f"{dict(ends)}\n")
    assert ends["answered"] > len(accepted) / 4
    return ends


def test_relays_killed_at_random_lose_nothing_and_answer_nothing_twice(homes, seed):
    chance = random.Random(seed)
    home = homes(
        plain=agent("echo", ECHO, tags=["pool"]),
        again=agent("echo", ECHO, tags=["pool"], on_interrupted="redeliver"),
        command=agent("exec", {"command": ["cat"]}),
        repeated=agent("exec", {"command": ["sh", "-c", "cat; sleep 0.03"]}, on_interrupted="redeliver"),
    )
    lanes = [("--agent", "plain"), ("--agent", "again"), ("--agent", "command"), ("--agent", "repeated")]
    for lane in lanes:
        home.start(*lane).stop()
    to = ("plain", "again", "command", "repeated", "any:tag:pool")
    with ExitStack() as stack:
        said = [stack.enter_context(sending(home, name, seed + name, 0.15, *to)) for name in ("ann", "bob")]
        kill_at_random(home, lanes[:: chance.choice((1, -1))], chance, KILLS)
    home.start()
    holds(home, [one for accepted in said for one in accepted], history=())
    assert home.left() == []


@pytest.mark.live
def test_codex_under_relays_killed_at_random_answers_all_that_did_not_kill_twice(homes, codex, seed):
    chance = random.Random(seed)
    home = homes(coder=codex(), other=codex())
    lanes = [("--agent", "coder"), ("--agent", "other")]
    for lane in lanes:
        home.start(*lane).stop()
    with sending(home, "ann", seed, 0.6, "coder", "other") as said:
        kill_at_random(home, lanes, chance, CODEX_KILLS)
    home.start()
    holds(home, said, history=("coder", "other"))
    assert home.left() == []
