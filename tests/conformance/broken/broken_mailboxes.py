"""Mailboxes with one fault each: they pass everything on but one thing."""

from __future__ import annotations

from contextlib import asynccontextmanager, suppress

import anyio
from msgspec.structs import replace

from relaykit.errors import ClosedRequestError, LeaseLostError, RefusedError
from relaykit.model import Draft, Status, StatusKind


class MailboxThrough:
    """A mailbox that passes everything on."""

    def __init__(self, mailbox):
        self.mailbox = mailbox

    def __getattr__(self, name):
        return getattr(self.mailbox, name)


class SaysThatEveryPutIsTheFirst(MailboxThrough):
    async def put(self, draft, **more):
        return replace(await self.mailbox.put(draft, **more), first=True)


class HidesALostLease(MailboxThrough):
    async def note(self, steps, report=None):
        with suppress(LeaseLostError):
            await self.mailbox.note(steps, report)


class ReportsNothingAtTheEnd(MailboxThrough):
    async def settle(self, *which, report=None, **how):
        return await self.mailbox.settle(*which, **how)


class CallsWhoHoldsADeliveryIdle(MailboxThrough):
    async def agents(self):
        idle = Status(kind=StatusKind.IDLE, since=1.0)
        entries = await self.mailbox.agents()
        return [replace(one, status=idle) if one.status.reason == "turn" else one for one in entries]


class TakesTheLastDecision(MailboxThrough):
    async def decide(self, *which, **how):
        with suppress(ClosedRequestError):
            return await self.mailbox.decide(*which, **how)


class BelievesTheBeatOfTheDead(MailboxThrough):
    async def release_stale(self, boot, before, dead=()):
        return await self.mailbox.release_stale(boot, before)


class SendsWhatIsUnderWay(MailboxThrough):
    sent = None

    async def lease_outgoing(self, recipient, *, owner):
        self.sent = await self.mailbox.lease_outgoing(recipient, owner=owner) or self.sent
        return self.sent


class ShowsTheNewestFirst(MailboxThrough):
    async def inbox(self, recipient, **which):
        return [*reversed(await self.mailbox.inbox(recipient, **which))]


class WantsWholeIds(MailboxThrough):
    async def trace(self, message):
        return await self.mailbox.trace(message.ljust(36, "?"))


class ForgetsWishes(MailboxThrough):
    async def wish(self, *_which):
        pass


class AnswersLikeAnyMessage(MailboxThrough):
    async def answer(self, who, message, body, *, id):
        asked = (await self.mailbox.trace(message)).message
        return await self.mailbox.put(Draft(id=id, sender=who, to=asked.sender, body=body, thread=asked.thread))


class LetsEveryoneClaim(MailboxThrough):
    async def claim_task(self, message, agent):
        with suppress(RefusedError):
            return await self.mailbox.claim_task(message, agent)


class ShowsWholeThreads(MailboxThrough):
    async def thread(self, thread, reader, **which):
        return await self.mailbox.thread(thread, "a", **which)


class TakesAnEditWhenItIsTooLate(MailboxThrough):
    async def edit(self, message, body, **which):
        with suppress(RefusedError):
            return await self.mailbox.edit(message, body, **which)


class PutsAnEditedMessageInItsPlace(MailboxThrough):
    async def edit(self, message, body, **which):
        trace = await self.mailbox.trace(message)
        await self.mailbox.cancel(message, **which)
        old = trace.message
        put = await self.mailbox.put(Draft(sender=old.sender, to=old.to, body=body, thread=old.thread))
        return put.deliveries


class MovesNothing(MailboxThrough):
    async def move(self, message, *, before=None, recipient=None):
        found = (await self.mailbox.trace(message)).deliveries
        return [one for one in found if recipient in (None, one.recipient)]


class RingsForNothing(MailboxThrough):
    @asynccontextmanager
    async def watch(self):
        yield Bell()


class NamesNobody(MailboxThrough):
    @asynccontextmanager
    async def watch(self):
        async with self.mailbox.watch() as watch:
            yield Forgetful(watch)


class Forgetful:
    def __init__(self, watch):
        self._watch = watch

    async def wait(self):
        await self._watch.wait()
        return ()


class Bell:
    async def wait(self):
        await anyio.lowlevel.checkpoint()
