"""The real program, as a process of its own, on homes of their own."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator, Sequence
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

HOOKS = """
from relaykit.plugin import CliCommand, hookimpl

@hookimpl
def relaykit_cli_commands():
    return [CliCommand(name="greet", summary="Greets.", target="{module}_greet:main")]
"""
GREET = """
def main(words):
    print("greetings", *words)
    return 4
"""


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


@pytest.fixture
def install(tmp_path: Path) -> Callable[..., Path]:
    """Install a plugin as a distribution would, in a directory of its own; returns the environment that has it."""

    def install_(name: str, hooks: str = HOOKS) -> Path:
        site = tmp_path / "site"
        about = site / f"{name}-1.0.dist-info"
        about.mkdir(parents=True)
        (about / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n", encoding="utf-8")
        (about / "entry_points.txt").write_text(f"[relaykit]\n{name} = {name}\n", encoding="utf-8")
        (site / f"{name}.py").write_text(hooks.format(module=name), encoding="utf-8")
        (site / f"{name}_greet.py").write_text(GREET, encoding="utf-8")
        return site

    return install_


@pytest.fixture
def with_plugin(program: Program, install: Callable[..., Path]) -> Callable[..., Program]:
    def with_plugin_(name: str, **more: str) -> Program:
        site = install(name, **more)
        program.env["PYTHONPATH"] = f"{site}:{program.environment({})['PYTHONPATH']}"
        return program

    return with_plugin_
