"""relaykit's own transport against the dock: both are real, and so is the mailbox behind each."""

from __future__ import annotations

import os
import random
from collections import Counter
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from statistics import median
from time import monotonic
from urllib.parse import urlsplit

import anyio
import pytest
from msgspec.structs import replace

from relaykit.builtin.routing import AddressRouter
from relaykit.errors import TransportError
from relaykit.mailbox.sqlite import open_mailbox
from relaykit.model import Agent, Credential, Secret
from relaykit.relay.clock import SystemClock
from relaykit.testing.contexts import make_context, make_message
from relaykit.testing.memory_credentials import MemoryCredentials
from relaykit_signaldock import SIGNALDOCK

from .cutting import network

pytestmark = pytest.mark.anyio
MESSAGES = int(os.environ.get("DOCK_MESSAGES", "300"))
"""Each way; `tox -e network` has 5,000, so that 10,000 pass."""
PATIENCE = 60 + MESSAGES / 10
ON_THE_WAY = 100
PARTS = 12 if MESSAGES < 1000 else 100
SENDERS = 4
DAY = 86400.0


class Hurried(SystemClock):
    """Waits a twentieth of what it is asked to: back-offs of half a minute are for people."""

    def boot(self):
        return super().boot() * 20

    async def sleep(self, seconds):
        await super().sleep(seconds / 20)


@dataclass
class Arrivals:
    """The mailbox behind the transport, in which everything is read at once, and what came in for the first time."""

    mailbox: object
    bodies: list = field(default_factory=list)
    moments: dict = field(default_factory=dict)
    _unknown: set = field(default_factory=set)
    _more: anyio.Event = field(default_factory=anyio.Event)

    async def put(self, draft, *, synced=True):
        try:
            accepted = await self.mailbox.put(draft, synced=synced)
        except BaseException:
            self._unknown.add(draft.id)  # who is cut off does not hear whether it was stored
            raise
        if accepted.first or draft.id in self._unknown:
            self._unknown.discard(draft.id)
            self.bodies.append(draft.body)
            self.moments[draft.body] = monotonic()
            await self.mailbox.take(draft.to, [accepted.message.id], "read")
        self.touch()
        return accepted

    def touch(self):
        self._more.set()
        self._more = anyio.Event()

    async def until(self, look):
        while not look():
            await self._more.wait()


@dataclass
class Bob:
    """An agent elsewhere, whose messages the transport brings."""

    arrivals: Arrivals
    credentials: MemoryCredentials
    transport: object = None
    reports: list = field(default_factory=list)

    async def send(self, number, clock):
        """Send until the server took it, as a relay does."""
        message = make_message(f"out {number}", to="alice@dock", sender="bob", id=f"0000-{number}")
        while True:
            try:
                return await self.transport.send(message, "alice@dock")
            except TransportError:
                await clock.sleep(1)


@asynccontextmanager
async def bob_at(url, key, directory, *, days=0.0, clock=None, **options):
    clock = clock or SystemClock()
    record = Credential(
        secret=Secret(key),
        kind="signaldock",
        fields={"agentId": "bob", "apiBaseUrl": url},
        since=clock.now() - days * DAY,
    )
    async with open_mailbox(directory / "bob.db", routers=[AddressRouter()]) as mailbox:
        await mailbox.enroll(Agent(id="bob", provider="echo", cwd="", reads_inbox=True))
        bob = Bob(Arrivals(mailbox), MemoryCredentials({"dock": record}))
        made = make_context(
            directory / "bob", name="dock", clock=clock, intake=bob.arrivals, credentials=bob.credentials
        )
        async with SIGNALDOCK.open(options, replace(made, report=bob.reports.append)) as bob.transport:
            yield bob


@pytest.mark.parity("CR-7")
async def test_a_message_is_delivered_through_the_stream_well_within_a_second(docks, tmp_path):
    async with (
        docks.open("alice", "bob") as (alice, bob),
        bob_at(docks.url, bob.key, tmp_path, poll_seconds=60) as there,
    ):
        with anyio.fail_after(PATIENCE):
            await alice.send("bob", "first")
            await there.arrivals.until(lambda: there.arrivals.bodies)
            took = [await _time_of(alice, there.arrivals, f"number {number}") for number in range(20)]
    assert median(took) < 1


async def _time_of(alice, arrivals, text):
    begun = monotonic()
    await alice.send("bob", text)
    await arrivals.until(lambda: text in arrivals.moments)
    return arrivals.moments[text] - begun


@pytest.mark.parity("CR-6")
async def test_a_key_is_rotated_at_the_dock_while_messages_come_and_go_and_the_old_one_ends(docks, tmp_path):
    async with docks.open("alice", "bob", overlap_seconds=1.0) as (alice, bob):
        old = bob.key
        async with bob_at(docks.url, old, tmp_path, days=31) as there:
            with anyio.fail_after(PATIENCE):
                for number in range(50):
                    await alice.send("bob", f"in {number}")
                    await there.send(number, SystemClock())
                await there.arrivals.until(lambda: len(there.arrivals.bodies) == 50)
                new = there.credentials.kept["dock"].secret.reveal()
                bob.key = new
                assert (await bob.ask("GET", "/messages/peek")).status == 200
                bob.key = old
                while (await bob.ask("GET", "/messages/peek")).status != 401:  # the overlap: a second
                    pass
                await alice.send("bob", "last")
                await there.arrivals.until(lambda: "last" in there.arrivals.bodies)
                await there.send(50, SystemClock())
    assert old != new
    assert there.reports == ["dock: the key of credential 'dock' is rotated"]
    assert Counter(there.arrivals.bodies) == dict.fromkeys([*(f"in {number}" for number in range(50)), "last"], 1)


@pytest.mark.faults
@pytest.mark.parity("CR-4", "CR-7", "CR-11")
async def test_every_message_passes_a_network_that_is_cut_and_healed_and_none_twice(docks, tmp_path):
    clock, got = Hurried(), []
    async with docks.open("alice", "bob") as (alice, bob), network(urlsplit(docks.url).port) as between:
        options = {"poll_seconds": 1, "timeout_seconds": 0.5}
        async with bob_at(between.url, bob.key, tmp_path, clock=clock, **options) as there:
            arrivals = there.arrivals

            def passed():
                return len(arrivals.bodies) + len(got)

            with anyio.fail_after(PATIENCE):
                async with anyio.create_task_group() as tasks:
                    tasks.start_soon(_trouble, between, arrivals, passed)
                    tasks.start_soon(_say, alice, arrivals)
                    tasks.start_soon(_read, alice, arrivals, got)
                    for first in range(SENDERS):
                        tasks.start_soon(_send, there, clock, range(first, MESSAGES, SENDERS), got, arrivals)
    assert Counter(arrivals.bodies) == {f"in {number}": 1 for number in range(MESSAGES)}
    assert Counter(got) == {f"out {number}": 1 for number in range(MESSAGES)}


async def _say(alice, arrivals):
    for number in range(MESSAGES):
        await arrivals.until(lambda number=number: number - len(arrivals.bodies) < ON_THE_WAY)
        await alice.send("bob", f"in {number}")
    await arrivals.until(lambda: len(arrivals.bodies) >= MESSAGES)


async def _send(there, clock, numbers, got, arrivals):
    for number in numbers:
        await arrivals.until(lambda number=number: number - len(got) < ON_THE_WAY)
        await there.send(number, clock)


async def _read(alice, arrivals, got):
    async with alice.stream() as wire:
        while len(got) < MESSAGES:
            message = (await wire.message())["data"]
            got.append(message["content"])
            await alice.ack(message["id"])
            arrivals.touch()


async def _trouble(between, arrivals, passed):
    """Something else goes wrong each time that a part more has passed."""
    chance = random.Random(11)
    for part in range(1, PARTS):
        await arrivals.until(lambda part=part: passed() >= part * 2 * MESSAGES // PARTS)
        kind = chance.choice(("cut", "refuse", "swallow", "hold", "hold and cut"))
        if kind.startswith("hold"):
            between.hold()
            await between.given_up()
        elif kind == "swallow":
            between.swallowing = 3
        elif kind == "refuse":
            between.refusing = 5
        if kind != "hold":
            between.cut()
        if kind.startswith("hold"):
            between.heal()
