"""The real program, as a process of its own, on homes of their own."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from relaykit.builtin.routing import AddressRouter
from relaykit.mailbox import directory, leases, settling
from relaykit.mailbox.door import Door, open_door
from relaykit.model import (
    Agent,
    Draft,
    LeasedDelivery,
    Noted,
    RelayRecord,
    Report,
    State,
    Status,
    StatusKind,
    new_id,
)
from relaykit.relay.clock import SystemClock
from relaykit.relay.ownership import agent_lock
from relaykit.testing.program import Program


@pytest.fixture
def program(tmp_path: Path) -> Program:
    (tmp_path / "cwd").mkdir()
    return Program(home=tmp_path / "home", cwd=tmp_path / "cwd", env={"XDG_CONFIG_HOME": str(tmp_path / "config")})


@pytest.fixture
def door(program: Program) -> Iterator[Door]:
    with open_door(program.home, routers=(AddressRouter(),)) as opened:
        yield opened


@dataclass
class Worker:
    """An agent as its relay runs it, by hand."""

    door: Door
    agent: str
    epoch: int
    owner: str

    def report(self, kind: StatusKind, **more: Any) -> None:
        status = Status(kind=kind, **more)
        report = Report(agent=self.agent, epoch=self.epoch, status=status, pid=os.getpid(), session="s-1")
        self.door.run(leases.note, (), report)

    def take(self) -> LeasedDelivery:
        taken = self.door.run(
            leases.lease, self.agent, owner=self.owner, epoch=self.epoch, submission=new_id(), session="s-1"
        )
        assert taken is not None
        now = time.time()
        steps = [Noted(lease=taken.lease, at=now), Noted(lease=taken.lease, at=now, turn="turn-1")]
        self.door.run(leases.note, steps)
        return taken

    def answer(self, text: str) -> LeasedDelivery:
        taken = self.take()
        to = taken.reply_to
        assert to is not None
        reply = Draft(sender=self.agent, to=to.recipient, body=text, thread=to.thread, kind=to.kind)
        self.door.run(settling.settle, [taken.lease], State.ANSWERED, "the provider completed turn-1", reply=reply)
        return taken

    def fail(self, state: State, reason: str, partial: str = "") -> LeasedDelivery:
        taken = self.take()
        self.door.run(settling.settle, [taken.lease], state, reason, partial=partial)
        return taken


@dataclass
class Workers:
    """Makes workers; their relay beats."""

    door: Door
    home: Path

    def enlist(self, agent: str, *, tags: Sequence[str] = (), beat: float = 0.0) -> Worker:
        """Claim an agent for a relay whose last beat was so many seconds ago."""
        clock, owner = SystemClock(), new_id()
        relay = RelayRecord(incarnation=owner, pid=os.getpid(), boot=clock.boot_id(), beat=clock.boot() - beat)
        self.door.run(directory.join, relay)
        record = Agent(id=agent, provider="echo", cwd=str(self.home), tags=tuple(tags))
        claim = self.door.run(directory.claim, record, owner)
        worker = Worker(self.door, agent, claim.epoch, owner)
        worker.report(StatusKind.IDLE)
        return worker

    @contextmanager
    def locked(self, agent: str) -> Iterator[None]:
        with agent_lock(self.home, agent):
            yield


@pytest.fixture
def workers(door: Door, program: Program) -> Workers:
    return Workers(door, program.home)
