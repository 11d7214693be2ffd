"""Events and sessions as rows, and back."""

from __future__ import annotations

import json
from typing import Any

from msgspec import Struct, ValidationError

from relaykit.model import OCCURRENCES, BlockEnded, Event, Occurrence, ProviderNote, SessionRecord, from_text, to_text

ROW_BYTES = 100
"""What a row takes beside its data: its columns, and its places in the indexes."""

SELECT_SESSION = "SELECT id, agent, provider, cwd, started_at, ended_at, last_number FROM sessions"
SELECT_EVENT = (
    "SELECT agents.id, sessions.id, events.number, events.at, events.kind, events.data, events.cursor "
    "FROM events JOIN agents ON agents.key = events.agent JOIN sessions ON sessions.key = events.session"
)


class NewEvent(Struct, frozen=True):
    """An event that is ready to be stored: all that can be done outside the transaction was done."""

    agent: str
    session: str
    number: int
    at: float
    kind: str
    data: str
    ended_block: str | None

    @property
    def size(self) -> int:
        """Bytes that it takes."""
        return ROW_BYTES + len(self.data.encode())


def encode(event: Event) -> NewEvent:
    """Make an event ready to be stored."""
    what = event.what
    ended = what.block.id if isinstance(what, BlockEnded) else None
    return NewEvent(event.agent, event.session, event.number, event.at, what.kind, to_text(what), ended)


def decode_event(row: tuple[Any, ...]) -> Event:
    """Return the event of a row of ``SELECT_EVENT``."""
    agent, session, number, at, kind, data, cursor = row
    return Event(agent=agent, session=session, number=number, at=at, what=_occurrence(kind, data), cursor=cursor)


def _occurrence(kind: str, data: str) -> Occurrence:
    """Return what happened; as a note where it is of no kind or form that is known, so that the others are still read.

    A newer relaykit knows more of them than this one, and a provider may have told what is not of its field's type.
    """
    if cls := OCCURRENCES.get(kind):
        try:
            return from_text(cls, data)
        except ValidationError:
            return ProviderNote(name=kind, data=json.loads(data))
    return ProviderNote(name=kind, data=json.loads(data))


def decode_session(row: tuple[Any, ...]) -> SessionRecord:
    """Return the session of a row of ``SELECT_SESSION``."""
    key, agent, provider, cwd, started_at, ended_at, last_number = row
    return SessionRecord(
        id=key,
        agent=agent,
        provider=provider,
        cwd=cwd,
        started_at=started_at,
        ended_at=ended_at,
        last_number=last_number,
    )


def encode_text(text: str) -> bytes:
    """Return text as bytes; lone surrogates, which a provider's JSON may hold, go through."""
    return text.encode("utf-8", "surrogatepass")


def decode_text(data: bytes) -> str:
    """Undo ``encode_text``."""
    return data.decode("utf-8", "surrogatepass")
