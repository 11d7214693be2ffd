"""What the checks of providers have in common: opening one, and reading what a session does."""

from __future__ import annotations

import dataclasses
from collections import Counter
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager, suppress
from typing import Any

import anyio
import pytest
from anyio.streams.memory import MemoryObjectReceiveStream
from msgspec.structs import replace

from relaykit.model import Mode, Occurrence, TurnEnded, TurnJoined, TurnStarted
from relaykit.plugin import Channel, Context, Provider, Session, SessionRequest
from relaykit.registry import PROVIDER, Registry


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class ProviderBench:
    """A provider ready to be tried; everything on it is bounded by ``patience`` seconds."""

    registry: Registry
    name: str
    options: Mapping[str, Any]
    context: Context
    request: SessionRequest
    patience: float

    def with_options(self, options: Mapping[str, Any]) -> ProviderBench:
        """Return the same with options added."""
        return dataclasses.replace(self, options={**self.options, **options})

    async def needs(self, ability: str) -> None:
        """Skip the check where the provider does not announce the ability.

        Never skip inside a session: its task group wraps what leaves it.
        """
        async with self.open() as provider:
            announced = getattr(provider.capabilities, ability)
        if not announced:
            pytest.skip(f"it does not announce {ability}")

    @asynccontextmanager
    async def open(self) -> AsyncIterator[Provider]:
        """Open the provider."""
        with anyio.fail_after(self.patience):
            async with self.registry.open(PROVIDER, self.name, self.options, self.context) as provider:
                yield provider

    @asynccontextmanager
    async def session(self, **changes: Any) -> AsyncIterator[Trial]:
        """Open the provider and a session of it; ``changes`` are made to the request."""
        async with self.open() as provider, provider.session(replace(self.request, **changes)) as session:
            yield Trial(provider, session)


class Trial:
    """A session, and all that was read of its events."""

    def __init__(self, provider: Provider, session: Session) -> None:
        self.provider = provider
        self.session = session
        self.events: list[Occurrence] = []

    @property
    def ends(self) -> list[TurnEnded]:
        """The ends of turns read so far."""
        return [event for event in self.events if isinstance(event, TurnEnded)]

    async def submit(self, text: str, submission: str, mode: Mode = Mode.OWN) -> None:
        """Hand a text over."""
        await self.session.submit(text, submission, mode)

    async def until(self, holds: Callable[[], bool]) -> None:
        """Read events until something holds."""
        while not holds():
            try:
                self.events.append(await self.session.events.receive())
            except anyio.EndOfStream:
                raise AssertionError(f"the events are over too early, after {self.events}") from None

    async def until_seen(self, submission: str) -> None:
        """Read until a turn names the submission."""
        await self.until(lambda: submission in self.seen())

    async def until_ended(self, *submissions: str) -> TurnEnded:
        """Read until ended turns have named all of them; return the last end."""
        await self.until(lambda: set(submissions) <= set(self.named()))
        return self.ends[-1]

    async def until_over(self) -> None:
        """Read until the session says that it is over."""
        with suppress(anyio.EndOfStream):
            while True:
                self.events.append(await self.session.events.receive())

    def seen(self) -> set[str]:
        """Return the submissions that turns have named."""
        kinds = (TurnStarted, TurnJoined, TurnEnded)
        return {name for event in self.events if isinstance(event, kinds) for name in event.submissions}

    def named(self) -> Counter[str]:
        """Return how often ended turns named each submission."""
        return Counter(name for end in self.ends for name in end.submissions)

    def check_turns(self) -> None:
        """Every turn ends once, after it began, and no submission is in two."""
        begun = [event.turn for event in self.events if isinstance(event, TurnStarted)]
        ended = [end.turn for end in self.ends]
        assert len(set(begun)) == len(begun), f"a turn began twice: {begun}"
        assert len(set(ended)) == len(ended), f"a turn ended twice: {ended}"
        assert set(ended) <= set(begun), f"a turn ended that had not begun: {ended}, begun {begun}"
        assert max(self.named().values(), default=0) <= 1, f"two turns ended with one submission: {self.named()}"


async def until_buffered(events: object, count: int) -> None:
    """Return when so much was told that nobody has read; fail as soon as who tells it waits for a reader.

    Channels and memory streams can be looked into; for anything else this says nothing.
    """
    while (unread := _unread(events)) is not None:
        if unread >= count:
            return
        await anyio.sleep(0.005)  # nothing rings for one that only looks


def _unread(events: object) -> int | None:
    if isinstance(events, Channel):
        return len(events)
    if not isinstance(events, MemoryObjectReceiveStream):
        return None
    state = events.statistics()
    assert state.tasks_waiting_send == 0, f"the provider waits for a reader, after {state.current_buffer_used}"
    return state.current_buffer_used
