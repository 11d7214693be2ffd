"""A mailbox or session store that cannot be used while a relay runs: nothing is lost, and it goes on by itself."""

from __future__ import annotations

import resource
import sqlite3
from contextlib import closing, contextmanager

import pytest

from relaykit.mailbox.schema import FILE
from relaykit.storage.connect import BUSY_SECONDS
from relaykit.storage.doorbell import Bell

pytestmark = pytest.mark.faults

LONGER = 4 * BUSY_SECONDS + 2.0
"""Seconds in which an operation gives up, and those that waited behind it."""


@contextmanager
def locked(home, name):
    """Hold a store's file as another process that writes does."""
    with closing(sqlite3.connect(home.path / name, isolation_level=None)) as connection:
        connection.execute("BEGIN IMMEDIATE")
        yield
        connection.execute("ROLLBACK")


@contextmanager
def full_disk(relay):
    """Let the relay make no file longer, as on a disk that is full."""
    soft, hard = resource.prlimit(relay.popen.pid, resource.RLIMIT_FSIZE)
    resource.prlimit(relay.popen.pid, resource.RLIMIT_FSIZE, (0, hard))
    yield
    if relay.popen.poll() is None:
        resource.prlimit(relay.popen.pid, resource.RLIMIT_FSIZE, (soft, hard))


@pytest.fixture
def home(homes):
    home = homes(a={"provider": "echo", "options": {"prefix": "", "delay": 0.3}})
    home.relay = home.start()
    home.ended(home.send("a", "hello"))
    return home


def served_once(home, *messages):
    """See that every message was answered at its first hand-over by the relay that was there all the time."""
    for message in messages:
        (delivery,) = home.ended(message).deliveries
        assert (delivery.state, delivery.attempt, delivery.deaths) == ("answered", 1, 0), delivery
    home.status("a", "idle")
    assert home.relay.popen.poll() is None, home.told()


def test_a_full_disk_in_the_middle_of_a_turn(home):
    running = home.send("a", "the turn that runs")
    home.reaches(running, "seen")
    with full_disk(home.relay):
        waiting = home.send("a", "comes while it is full")
        assert home.relay.lives_for(2), home.told()
        assert (home.delivery(running).state, home.delivery(waiting).state) == ("seen", "queued")
        assert home.trace(running).replies == ()
    served_once(home, running, waiting)


def test_a_relay_that_is_killed_while_the_disk_is_full_has_lost_nothing(home):
    running = home.send("a", "the turn that runs")
    home.reaches(running, "seen")
    with full_disk(home.relay):
        waiting = home.send("a", "comes while it is full")
        assert home.relay.lives_for(0.6), home.told()
        home.relay.kill()
    home.relay = home.start()
    assert home.ended(running).deliveries[0].state == "unknown"
    served_once(home, waiting)


def test_a_mailbox_that_is_locked_for_longer_than_anyone_waits(homes):
    script = 'read text; case "$text" in die) sleep 0.3; kill -9 $$;; esac; echo "$text"'
    mortal = {"provider": "exec", "options": {"command": ["sh", "-c", script]}}
    home = homes(a={"provider": "echo", "options": {"prefix": "", "delay": 0.3}}, b=mortal)
    home.relay = home.start()
    running, waiting, dying = home.send("a", "the turn that runs"), home.send("a", "after it"), home.send("b", "die")
    home.reaches(running, "seen")
    home.reaches(dying, "seen")
    with locked(home, FILE), closing(Bell(home.path / FILE)) as bell:
        bell.ring()  # so that the dispatcher looks, in vain
        assert home.relay.lives_for(LONGER)
    served_once(home, running, waiting)
    (delivery,) = home.ended(dying).deliveries
    assert (delivery.state, delivery.deaths) == ("unknown", 1)
    served_once(home, home.send("a", "hello"))


def test_a_session_store_that_is_locked_stops_leasing_and_says_so(home):
    running = home.send("a", "the turn that runs")
    home.reaches(running, "seen")
    with locked(home, "sessions.db"):
        waiting = home.send("a", "comes meanwhile")
        assert "sessions.db" in home.status("a", "error", "store").detail
        assert (home.delivery(running).state, home.delivery(waiting).state) == ("seen", "queued")
    served_once(home, running, waiting)
