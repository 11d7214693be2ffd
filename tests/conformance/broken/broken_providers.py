"""Providers with one fault each."""

from __future__ import annotations

import os
import subprocess
import sys
from contextlib import asynccontextmanager, suppress

import anyio
from good_provider import SCHEMA, GoodProvider, GoodSession, component, project
from msgspec.structs import replace

from relaykit.model import Outcome, ProviderNote, cannot, projected
from relaykit.plugin import hookimpl


class SaysNoEndWhenInterrupted(GoodSession):
    async def end_interrupted(self):
        pass


class EndsATurnTwice(GoodSession):
    async def end_completed(self, text):
        await super().end_completed(text)
        if not self.todo.statistics().current_buffer_used:
            await self.end(Outcome.COMPLETED, text)


class LosesTheThirdSubmission(GoodSession):
    taken = 0

    async def submit(self, text, submission_id, mode):
        self.taken += 1
        if self.taken != 3:
            await super().submit(text, submission_id, mode)


class DiesOfAnInterrupt(GoodSession):
    async def end_interrupted(self):
        await super().end_interrupted()
        self.todo.close()


class KeepsAnInterruptForTheNextTurn(GoodSession):
    pending = False

    async def interrupt(self):
        self.pending = self.turn is None
        await super().interrupt()

    async def say(self, text):
        if self.pending:
            self.scope.cancel()
            await anyio.lowlevel.checkpoint()
        await super().say(text)


class TellsEverySession(GoodSession):
    feeds = []  # noqa: RUF012 - the fault is that they share it

    async def run(self):
        self.feeds.append(self.feed)
        try:
            await super().run()
        finally:
            self.feeds.remove(self.feed)

    async def tell(self, what):
        for feed in self.feeds:
            feed.send_nowait(what)


class RepeatsTheLastSession(GoodSession):
    async def begin(self):
        for what in getattr(self.provider, "told", []):
            await super().tell(what)
        self.provider.told = []

    async def tell(self, what):
        self.provider.told.append(what)
        await super().tell(what)


class WaitsForItsReader(GoodSession):
    room = 12


class AnswersOtherThanItShows(GoodSession):
    async def end(self, outcome, text="", **more):
        await super().end(outcome, text and "something else", **more)

    def remember(self, text):
        super().remember("something else")


class SaysNothingInPieces(GoodSession):
    async def say_piece(self, block, text):
        pass


class DropsWhatJoins(GoodSession):
    async def join(self, submission):
        pass


class ForgetsItsHistory(GoodSession):
    def remember(self, text):
        pass


class HasAHistoryOfEverySession(GoodSession):
    async def history(self, session):
        return await super().history(session) or []


class CannotDecide(GoodSession):
    decide = None


class CannotReply(GoodSession):
    reply = None


class StumblesOverAStrangeReply(GoodSession):
    async def reply(self, key, reply, *, session=False):
        self.questions[key]
        await super().reply(key, reply, session=session)


class LeavesQuestionsOpen(GoodSession):
    async def close_question(self, key):
        pass


class TakesBackWhatItHasBegunWith(GoodSession):
    async def withdraw(self, submission_id):
        await super().withdraw(submission_id)
        return True


class KeepsItsModel(GoodSession):
    async def set_model(self, model):
        pass


class EndsWithItsModel(GoodSession):
    async def set_model(self, model):
        await super().set_model(model)
        self.todo.close()


class FailsToCompact(GoodSession):
    async def compact(self):
        self.todo.close()


class JoinsAnotherSession(GoodSession):
    def terminal(self):
        return replace(super().terminal(), argv=(sys.executable, "another"))


class ShowsASecret(GoodSession):
    async def begin(self):
        credentials = self.provider.context.credentials
        if name := self.provider.options.get("key"):
            secret = await credentials.get(name)
            await self.tell(ProviderNote(name="signed in", data={"with": secret.reveal()}))


class TakesTextWhenClosed(GoodSession):
    async def submit(self, text, submission_id, mode):
        with suppress(anyio.ClosedResourceError):
            await super().submit(text, submission_id, mode)


class LeaksATask(GoodSession):
    async def begin(self):
        self.provider.leaked = asyncio().get_running_loop().create_task(anyio.sleep_forever())


def asyncio():
    """Return what runs already; importing it would be another fault."""
    return sys.modules["asyncio"]


class WithAProcess(GoodSession):
    """Keeps the contract with a process that does nothing."""

    def __init__(self, provider, request):
        super().__init__(provider, request)
        self.pid = provider.process.pid

    async def run(self):
        with self.put, self.todo, self.feed:
            async with anyio.create_task_group() as tasks:
                tasks.start_soon(self.take_turns, name="turns")
                await self.until_dead()
                tasks.cancel_scope.cancel()
            if self.turn is not None:
                await self.end(Outcome.FAILED, by="process")

    async def take_turns(self):
        async for text, submission in self.todo:
            await self.take(text, submission)

    async def until_dead(self):
        descriptor = os.pidfd_open(self.pid)
        try:
            await anyio.wait_readable(descriptor)
        finally:
            os.close(descriptor)


class DoesNotNoticeADeath(WithAProcess):
    async def until_dead(self):
        await anyio.sleep_forever()


def start_sleeping():
    """Start a process that ends by itself soon: the broken provider leaves it."""
    return subprocess.Popen(["sleep", "20"])


class ProviderWithAProcess(GoodProvider):
    session_class = WithAProcess
    ends_it = True

    @asynccontextmanager
    async def session(self, request):
        self.process = start_sleeping()
        try:
            async with super().session(request) as session:
                yield session
        finally:
            if self.ends_it or self.process.poll() is not None:
                self.process.kill()
                self.process.wait()


class LeavesItsProcess(ProviderWithAProcess):
    ends_it = False


class NoticesNoDeath(ProviderWithAProcess):
    session_class = DoesNotNoticeADeath


class GoesOnUnderAnotherId(GoodProvider):
    def changed(self, request):
        return replace(request, resume=None)


class GoesOnWithAnySession(GoodProvider):
    def check_resume(self, session):
        pass


def _with(session):
    return type(session.__name__, (GoodProvider,), {"session_class": session})


NO_SCHEMA = {**SCHEMA, "properties": {**SCHEMA["properties"], "delay": {"type": "number", "minimum": "none"}}}
LAX_SCHEMA = {"type": "object", "properties": SCHEMA["properties"]}
BOUNDLESS_SCHEMA = {**SCHEMA, "properties": {**SCHEMA["properties"], "delay": {"type": "number"}}}
SESSIONS = [
    GoodSession,
    SaysNoEndWhenInterrupted,
    EndsATurnTwice,
    LosesTheThirdSubmission,
    DiesOfAnInterrupt,
    KeepsAnInterruptForTheNextTurn,
    TellsEverySession,
    RepeatsTheLastSession,
    WaitsForItsReader,
    AnswersOtherThanItShows,
    SaysNothingInPieces,
    DropsWhatJoins,
    ForgetsItsHistory,
    HasAHistoryOfEverySession,
    CannotDecide,
    CannotReply,
    StumblesOverAStrangeReply,
    LeavesQuestionsOpen,
    TakesBackWhatItHasBegunWith,
    KeepsItsModel,
    EndsWithItsModel,
    FailsToCompact,
    JoinsAnotherSession,
    ShowsASecret,
    TakesTextWhenClosed,
    LeaksATask,
]
PROVIDERS = [ProviderWithAProcess, LeavesItsProcess, NoticesNoDeath, GoesOnUnderAnotherId, GoesOnWithAnySession]


@hookimpl
def relaykit_providers():
    yield from (component(session.__name__, _with(session)) for session in SESSIONS)
    yield from (component(provider.__name__, provider) for provider in PROVIDERS)
    yield component("HasNoSchema", schema=NO_SCHEMA)
    yield component("TakesAnyOption", schema=LAX_SCHEMA)
    yield component("TakesAnyValue", schema=BOUNDLESS_SCHEMA)
    yield component("DropsHalfOfAProfile", projects=lambda profile, options: project(profile, options)[::2])
    yield component(
        "PromisesEverything", projects=lambda profile, _: [projected(item, "so") for item in profile.items()]
    )
    yield component("SaysNotWhy", projects=lambda profile, _: [told_by(item) for item in profile.items()])


def told_by(item):
    return projected(item, "") if item == "base" else cannot(item, "")
