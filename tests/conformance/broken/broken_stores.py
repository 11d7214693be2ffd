"""Routers, credential stores and sinks with one fault each, and session stores that keep theirs from the outside."""

from __future__ import annotations

from contextlib import asynccontextmanager
from dataclasses import replace

import anyio

from relaykit.errors import CredentialError
from relaykit.model import NAME, BlockEnded, Gap, Secret
from relaykit.plugin import Component, Route, hookimpl


class GoodRouter:
    def __init__(self, context):
        self.asked = 0

    def route(self, address, sender, directory):
        if address != "team":
            return None
        return Route(recipients=self.members(sender, directory), group=True)

    def members(self, sender, directory):
        return tuple(agent.id for agent in directory.agents() if agent.id != sender)


class WritesToItsSender(GoodRouter):
    def members(self, sender, directory):
        return tuple(agent.id for agent in directory.agents())


class ChangesItsMind(GoodRouter):
    def members(self, sender, directory):
        self.asked += 1
        return super().members(sender, directory)[:: 1 if self.asked == 1 else -1]


class KnowsStrangers(GoodRouter):
    def route(self, address, sender, directory):
        return super().route(address, sender, directory) or (Route(recipients=()) if address == "tag:nothing" else None)


class GoodCredentials:
    def __init__(self, context):
        self.secrets = dict(STORED)

    async def get(self, name):
        await anyio.lowlevel.checkpoint()
        if not NAME.fullmatch(name):
            raise CredentialError("that is no name of a credential")
        if name not in self.secrets:
            raise CredentialError(f"there is no {name if len(name) < 64 and '!' not in name else 'such credential'}")
        return Secret(self.secrets[name])

    async def names(self):
        await anyio.lowlevel.checkpoint()
        return sorted(self.secrets)


STORED = {"dock": "sesame-open-1", "dock-main": "sesame-open-2"}


class ListsInAnyOrder(GoodCredentials):
    async def names(self):
        return sorted(self.secrets, reverse=True)


class ShowsItsSecrets(GoodCredentials):
    def __repr__(self):
        return f"ShowsItsSecrets({self.secrets})"


class HasEverything(GoodCredentials):
    async def get(self, name):
        return Secret("") if name == "no-such-credential" else await super().get(name)


class GoodSink:
    def __init__(self, context):
        pass

    async def tell(self, item):
        await anyio.lowlevel.checkpoint()


class ChokesOnGaps(GoodSink):
    async def tell(self, item):
        if isinstance(item, Gap):
            raise TypeError("a gap has no number")


class ChokesOnStrangeText(GoodSink):
    async def tell(self, item):
        if isinstance(item.what if not isinstance(item, Gap) else None, BlockEnded):
            item.what.block.text.encode()


class NeedsTheStore(GoodSink):
    async def tell(self, item):
        if not isinstance(item, Gap) and not item.session:
            raise LookupError("an event without a session")


class SessionsThrough:
    """A session store that passes everything on."""

    def __init__(self, store):
        self.store = store

    def __getattr__(self, name):
        return getattr(self.store, name)


class ForgetsTheLastNumber(SessionsThrough):
    async def begin(self, record):
        return replace(await self.store.begin(record), last_number=0)


class ListsTheOldestFirst(SessionsThrough):
    async def sessions(self, agent=None):
        return [*reversed(await self.store.sessions(agent))]


class PagesAreTooLong(SessionsThrough):
    async def events(self, *, limit=1000, **which):
        return await self.store.events(limit=limit + 1, **which)


class MixesAgents(SessionsThrough):
    async def events(self, *, agent=None, session=None, **which):
        return await self.store.events(agent=None if session else agent, session=session, **which)


class ForgetsHalfABlock(SessionsThrough):
    async def append(self, events, partials=()):
        return await self.store.append(events, partials[:1])


class SweepsWithoutMeasure(SessionsThrough):
    async def sweep(self, *, limit=500, **what):
        return await self.store.sweep(limit=limit * 2, **what)


def component(running):
    @asynccontextmanager
    async def open_(options, context):
        yield running(context)

    return Component(name=running.__name__, summary="For the tests of the suite", open=open_)


@hookimpl
def relaykit_routers():
    return [component(router) for router in (GoodRouter, WritesToItsSender, ChangesItsMind, KnowsStrangers)]


@hookimpl
def relaykit_credential_stores():
    return [component(store) for store in (GoodCredentials, ListsInAnyOrder, ShowsItsSecrets, HasEverything)]
