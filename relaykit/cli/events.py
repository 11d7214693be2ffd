"""``relaykit events``: what sessions did, and what they do."""

from __future__ import annotations

from contextlib import closing
from typing import TYPE_CHECKING, Annotated, Any

from relaykit.cli.calling import examples
from relaykit.cli.history import session_store
from relaykit.cli.home import home
from relaykit.cli.known import check_agent
from relaykit.cli.output import clipped, clock_time, painted, say, say_json
from relaykit.cli.parameters import Argument, Option
from relaykit.model import (
    BlockEnded,
    BlockStarted,
    ErrorRaised,
    PermissionAsked,
    PermissionClosed,
    ProviderNote,
    StatusChanged,
    TurnEnded,
    TurnJoined,
    TurnStarted,
    UsageReported,
    to_json,
)
from relaykit.sessions import operations
from relaykit.sessions.schema import FILE
from relaykit.storage.doorbell import Listener

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from sqlite3 import Connection

    from relaykit.model import Event, Occurrence
    from relaykit.storage.database import Database

_PAGE = 500


@examples(
    "relaykit events reviewer --last 20", "relaykit events --follow", "relaykit events --since 1042 --follow --json"
)
def events(
    agent: Annotated[str | None, Argument("AGENT", "Only this agent's.")] = None,
    follow: Annotated[bool, Option("--follow", "-f", help="Go on with what happens from now on.")] = False,
    since: Annotated[
        int | None,
        Option("--since", metavar="N", least=0, help="Only what comes after this cursor; every JSON line carries one."),
    ] = None,
    last: Annotated[int | None, Option("--last", metavar="N", least=0, help="Of these only the last N.")] = None,
    json: Annotated[bool, Option("--json", help="Print JSON lines, one for each event.")] = False,
) -> None:
    """Show what sessions did, oldest first: all that is kept, or what comes after a cursor.

    With --follow, and neither --since nor --last, it begins now. People are shown neither that a block begins, which
    has no text yet, nor a status that is as before; --json has it all.
    """
    check_agent(agent)
    with session_store(make=follow) as store:
        cursor = _first_cursor(store, agent, since, last, follow=follow)
        found = _following(store, agent, cursor) if follow else _kept(store, agent, cursor)
        for event in found if json else _telling(found):
            if json:
                say_json(event_document(event))
            else:
                _say(event, at_once=follow)


def event_document(event: Event) -> dict[str, Any]:
    """Return an event for programs; going on from it is ``--since`` its cursor."""
    return {
        "cursor": event.cursor,
        "agent": event.agent,
        "session": event.session,
        "number": event.number,
        "at": event.at,
        "kind": event.what.kind,
        "data": to_json(event.what),
    }


def _first_cursor(
    store: Database[Connection], agent: str | None, since: int | None, last: int | None, *, follow: bool
) -> int:
    """Return the cursor after which to begin."""
    if last is None:
        return store.run(operations.last_cursor) if follow and since is None else since or 0
    return max(store.run(operations.cursor_before_last, agent, last), since or 0)


def _telling(events: Iterable[Event]) -> Iterator[Event]:
    """Leave out what says nothing to people."""
    statuses: dict[str, str] = {}
    for event in events:
        if isinstance(event.what, StatusChanged):
            before, now = statuses.get(event.agent), _gist(event.what)
            statuses[event.agent] = now
            if now == before:
                continue
        if not isinstance(event.what, BlockStarted):
            yield event


def _kept(store: Database[Connection], agent: str | None, cursor: int) -> Iterator[Event]:
    while page := store.run(operations.events, agent=agent, session=None, after=cursor, limit=_PAGE):
        yield from page
        cursor = page[-1].cursor


def _following(store: Database[Connection], agent: str | None, cursor: int) -> Iterator[Event]:
    with closing(Listener(home() / FILE)) as bell:
        while True:
            for event in _kept(store, agent, cursor):
                yield event
                cursor = event.cursor
            bell.wait_for(None)


def _say(event: Event, *, at_once: bool) -> None:
    kind = painted(f"{event.what.kind:<17}", "bold")
    say(
        f"{event.cursor:>7}  {clock_time(event.at)}  {event.agent:<12} {kind} {clipped(_gist(event.what), 90)}".rstrip(),
        now=at_once,
    )


def _gist(what: Occurrence) -> str:
    """Return what people want to know of it, in one line."""
    match what:
        case BlockEnded(block=block):
            return " ".join(word for word in (block.kind.value, block.name, block.text) if word)
        case StatusChanged(status=status):
            return " ".join(word for word in (status.kind.value, status.reason, status.detail) if word)
        case ErrorRaised(fault=fault):
            return fault.message
        case UsageReported() as usage:
            return f"{usage.input_tokens} tokens in, {usage.output_tokens} out"
        case ProviderNote(name=name):
            return name
        case _:
            return _gist_of_turn(what)


def _gist_of_turn(what: Occurrence) -> str:
    """Return it of a turn, and of what a turn asks."""
    match what:
        case TurnStarted(origin=origin):
            return f"by {origin.value}"
        case TurnJoined(submissions=submissions):
            return f"{len(submissions)} more"
        case TurnEnded(outcome=outcome, fault=fault, text=text):
            return f"{outcome.value}: {fault.message if fault else text}"
        case PermissionAsked(question=question):
            return f"{question.action}: {question.title}"
        case PermissionClosed(withdrawn=withdrawn):
            return "withdrawn" if withdrawn else "answered"
        case _:
            return ""
