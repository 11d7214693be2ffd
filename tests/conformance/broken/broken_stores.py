"""Routers and credential stores with one fault each, and session stores that keep theirs from the outside."""

from __future__ import annotations

from contextlib import asynccontextmanager
from json import dumps
from typing import ClassVar

import anyio
from msgspec.structs import replace

from relaykit.errors import CredentialError
from relaykit.model import NAME, Credential, Secret
from relaykit.plugin import Component, Route, hookimpl
from relaykit.testing.memory_credentials import MemoryCredentials


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


class GoodChanges(MemoryCredentials):
    """A store that can everything, over what its directory is called: opened again, it is the same."""

    kept_by: ClassVar = {}

    def __init__(self, context):
        super().__init__({})
        self.context = context
        self.kept = self.kept_by.setdefault((type(self), context.home), self.first())
        self.used = {}
        self.lock = anyio.Lock()

    @staticmethod
    def first():
        return {name: Credential(secret=Secret(value)) for name, value in STORED.items()}

    async def record(self, name):
        if name not in self.kept:
            raise CredentialError(f"there is no {name if len(name) < 64 and '!' not in name else 'such credential'}")
        return await super().record(name)

    async def credentials(self):
        found = await super().credentials()
        return [replace(one, used_at=self.used.get(one.name)) for one in found]

    async def mark_used(self, name):
        self.used[name] = self.context.clock.now()

    async def change(self, name, change):
        async with self.lock:
            return await self.changed(name, change)

    async def changed(self, name, change):
        changed = change(self.kept.get(name))
        if not NAME.fullmatch(name):
            raise CredentialError("that is no name")
        if changed is not None:
            self.fits(changed)
        return await super().change(name, lambda _: changed)

    def fits(self, credential):
        if not credential.secret.reveal():
            raise CredentialError("an empty secret")
        try:
            dumps([credential.secret.reveal(), dict(credential.fields)], ensure_ascii=False).encode()
        except (TypeError, ValueError):
            raise CredentialError("that cannot be kept") from None

    async def rotate_machine_key(self):
        return len(self.kept)


class ShowsValuesInItsListing(GoodChanges):
    async def credentials(self):
        found = await super().credentials()
        return [replace(one, fields={"secret": self.kept[one.name].secret.reveal()}) for one in found]


class ForgetsTheNewSecret(GoodChanges):
    async def changed(self, name, change):
        changed = await super().changed(name, change)
        if changed is not None:
            self.kept[name] = replace(changed, pending=None)
        return changed


class LetsTwoRotate(GoodChanges):
    @asynccontextmanager
    async def alone(self, name):
        yield True


class ForgetsUses(GoodChanges):
    async def mark_used(self, name):
        pass


class ChokesOnAUseOfNothing(GoodChanges):
    async def mark_used(self, name):
        await self.record(name)
        await super().mark_used(name)


class OverwritesEachOther(GoodChanges):
    async def change(self, name, change):
        current = self.kept.get(name)
        await anyio.lowlevel.checkpoint()
        return await self.changed(name, lambda _: change(current))


class KeepsWhatIsRemoved(GoodChanges):
    async def changed(self, name, change):
        before = self.kept.get(name)
        changed = await super().changed(name, change)
        if changed is None and before is not None:
            self.kept[name] = before
        return changed


class ForgetsAtTheEnd(GoodChanges):
    def __init__(self, context):
        super().__init__(context)
        self.kept = self.first()


class LosesAllWithItsKey(GoodChanges):
    async def rotate_machine_key(self):
        count = len(self.kept)
        self.kept.clear()
        return count


class TakesAnything(GoodChanges):
    def fits(self, credential):
        pass


class ShowsWhatItCannotKeep(GoodChanges):
    def fits(self, credential):
        try:
            super().fits(credential)
        except CredentialError as error:
            raise CredentialError(f"cannot keep {credential.secret.reveal()!r}") from error


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


READING = (GoodCredentials, ListsInAnyOrder, ShowsItsSecrets, HasEverything)
CHANGING = (
    GoodChanges,
    ShowsValuesInItsListing,
    ForgetsTheNewSecret,
    LetsTwoRotate,
    ForgetsUses,
    ChokesOnAUseOfNothing,
    OverwritesEachOther,
    KeepsWhatIsRemoved,
    ForgetsAtTheEnd,
    LosesAllWithItsKey,
    TakesAnything,
    ShowsWhatItCannotKeep,
)


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
    return [component(store) for store in (*READING, *CHANGING)]
