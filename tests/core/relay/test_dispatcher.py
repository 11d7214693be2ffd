"""Whom a change of the mailbox wakes, and when the mailbox is asked what waits."""

from __future__ import annotations

from contextlib import asynccontextmanager

import anyio
import pytest

from relaykit.builtin.routing import AddressRouter
from relaykit.model import USER, Agent, CommandKind, Draft
from relaykit.relay.dispatcher import Bell, Dispatcher
from relaykit.testing.clock import VirtualClock
from relaykit.testing.memory import open_memory_mailbox

pytestmark = pytest.mark.anyio


class Desk:
    """Two agents of which one is busy, and a dispatcher between them and a mailbox that notes what it is asked."""

    def __init__(self, mailbox, dispatcher):
        self.mailbox = mailbox
        self.hinted = []
        self.bells = {name: Bell(hint=lambda name=name: self.hinted.append(name)) for name in ("idle", "busy")}
        self.bells["busy"].patient = lambda: True
        for name, bell in self.bells.items():
            dispatcher.enlist(name, bell)
        dispatcher.follow(follower := Bell())
        self.follower = follower

    async def put(self, to):
        await self.mailbox.put(Draft(sender=USER, to=to, body="hello"))
        await anyio.wait_all_tasks_blocked()

    def rung(self, name):
        return self.bells[name]._rung.is_set()


class Asked:
    """A mailbox that notes each question what waits."""

    def __init__(self, mailbox):
        self._mailbox = mailbox
        self.asked = []

    def __getattr__(self, name):
        return getattr(self._mailbox, name)

    async def waiting(self, agents):
        self.asked.append(sorted(agents))
        return await self._mailbox.waiting(agents)


@asynccontextmanager
async def dispatching():
    clock = VirtualClock()
    async with open_memory_mailbox(clock, routers=[AddressRouter()]) as inner, anyio.create_task_group() as tasks:
        mailbox = Asked(inner)
        for name in ("idle", "busy", "stranger"):
            await mailbox.claim(Agent(id=name, provider="echo", cwd="/"), "relay")
        dispatcher = Dispatcher(mailbox, clock)
        desk = Desk(mailbox, dispatcher)
        tasks.start_soon(dispatcher.run, name="dispatcher")
        await anyio.wait_all_tasks_blocked()
        mailbox.asked.clear()
        desk.follower._rung.clear()
        yield desk
        tasks.cancel_scope.cancel()


async def test_an_idle_agent_looks_itself_and_nothing_is_asked():
    async with dispatching() as desk:
        await desk.put("idle")
        assert (desk.hinted, desk.mailbox.asked) == (["idle"], [])
        assert desk.follower._rung.is_set(), "what goes out looks after every change"


async def test_what_came_for_a_busy_one_is_asked_for():
    async with dispatching() as desk:
        await desk.put("busy")
        assert (desk.hinted, desk.mailbox.asked) == ([], [["busy", "idle"]])
        assert desk.rung("busy")
        assert desk.bells["busy"].waiting.later


async def test_what_is_for_others_wakes_nobody_here():
    async with dispatching() as desk:
        await desk.put("stranger")
        assert (desk.hinted, desk.mailbox.asked) == ([], [])


async def test_after_anything_else_than_a_put_all_are_looked_for():
    async with dispatching() as desk:
        await desk.mailbox.order("idle", CommandKind.COMPACT, sender=USER)
        await anyio.wait_all_tasks_blocked()
        assert desk.mailbox.asked == [["busy", "idle"]]
        assert desk.bells["idle"].waiting.commands
