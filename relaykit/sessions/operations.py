"""What the session store does, each a transaction: plain functions, whatever runs them."""

from __future__ import annotations

from collections.abc import Sequence
from sqlite3 import Connection

from relaykit.errors import StoreError
from relaykit.model import Event, SessionRecord
from relaykit.sessions.rows import (
    SELECT_EVENT,
    SELECT_SESSION,
    NewEvent,
    decode_event,
    decode_session,
    decode_text,
    encode_text,
)
from relaykit.storage.audience import Audience, told

Partial = tuple[str, str, str]
"""Session, block, and the text so far."""


def begin(db: Connection, record: SessionRecord) -> SessionRecord:
    """Store a session, or find it and note that it goes on."""
    db.execute(
        "INSERT INTO sessions (id, agent, provider, cwd, started_at) VALUES (?, ?, ?, ?, ?) "
        "ON CONFLICT (id) DO UPDATE SET agent = excluded.agent, provider = excluded.provider, cwd = excluded.cwd, "
        "ended_at = NULL",
        (record.id, record.agent, record.provider, record.cwd, record.started_at),
    )
    return decode_session(db.execute(SELECT_SESSION + " WHERE id = ?", (record.id,)).fetchone())


def end(db: Connection, session: str, at: float) -> None:
    """Note that a session was closed."""
    db.execute("UPDATE sessions SET ended_at = ? WHERE id = ?", (at, session))


@told(Audience.NOBODY)
def sessions(db: Connection, agent: str | None) -> list[SessionRecord]:
    """Return the sessions, the latest first."""
    wanted = " WHERE ? IS NULL OR agent = ? ORDER BY started_at DESC, key DESC"
    rows = db.execute(SELECT_SESSION + wanted, (agent, agent))
    return [decode_session(row) for row in rows]


def append(db: Connection, events: Sequence[NewEvent], partials: Sequence[Partial]) -> range:
    """Store events, and the text so far of blocks; return the events' cursors."""
    keys = _check(db, events, partials)
    first = last_cursor(db) + 1
    agents = {agent: _agent_key(db, agent) for agent in {event.agent for event in events}}
    db.executemany(
        "INSERT INTO events (cursor, agent, session, number, at, kind, data) VALUES (?, ?, ?, ?, ?, ?, ?)",
        [
            (cursor, agents[event.agent], keys[event.session], event.number, event.at, event.kind, event.data)
            for cursor, event in enumerate(events, first)
        ],
    )
    _count(db, events, agents)
    _save_partials(db, events, partials, keys)
    return range(first, first + len(events))


def _check(db: Connection, events: Sequence[NewEvent], partials: Sequence[Partial]) -> dict[str, int]:
    """Return the sessions' keys; StoreError where a number is not the one that follows."""
    keys: dict[str, int] = {}
    last: dict[str, int] = {}
    for session in {event.session for event in events} | {partial[0] for partial in partials}:
        row = db.execute("SELECT key, last_number FROM sessions WHERE id = ?", (session,)).fetchone()
        if row is None:
            raise StoreError(f"session {session} was not begun in this store")
        keys[session], last[session] = row
    for event in events:
        last[event.session] += 1
        if event.number != last[event.session]:
            raise StoreError(
                f"session {event.session}: event {event.number} came where {last[event.session]} is next; "
                "another relay records this session"
            )
    return keys


def _agent_key(db: Connection, agent: str) -> int:
    row = db.execute("SELECT key FROM agents WHERE id = ?", (agent,)).fetchone()
    if row is None:
        row = db.execute("INSERT INTO agents (id) VALUES (?) RETURNING key", (agent,)).fetchone()
    key: int = row[0]
    return key


def _count(db: Connection, events: Sequence[NewEvent], agents: dict[str, int]) -> None:
    db.executemany(
        "UPDATE sessions SET last_number = ? WHERE id = ?",
        [(number, session) for session, number in {event.session: event.number for event in events}.items()],
    )
    db.executemany(
        "UPDATE agents SET bytes = bytes + ? WHERE key = ?",
        [(sum(event.size for event in events if event.agent == agent), key) for agent, key in agents.items()],
    )


def _save_partials(
    db: Connection, events: Sequence[NewEvent], partials: Sequence[Partial], keys: dict[str, int]
) -> None:
    """Save the texts, then remove those of blocks that end: a block's end may come with its last text."""
    db.executemany(
        "INSERT INTO partials (session, block, text) VALUES (?, ?, ?) "
        "ON CONFLICT (session, block) DO UPDATE SET text = excluded.text",
        [(keys[session], block, encode_text(text)) for session, block, text in partials],
    )
    db.executemany(
        "DELETE FROM partials WHERE session = ? AND block = ?",
        [(keys[event.session], event.ended_block) for event in events if event.ended_block is not None],
    )


@told(Audience.NOBODY)
def events(db: Connection, *, agent: str | None, session: str | None, after: int, limit: int) -> list[Event]:
    """Return events after a cursor, oldest first."""
    conditions = ["events.cursor > :after"]
    # The key is looked up first, so that the index on it, which is in the order of cursors, gives the page as it is.
    if agent is not None:
        conditions.append("events.agent = (SELECT key FROM agents WHERE id = :agent)")
    if session is not None:
        conditions.append("events.session = (SELECT key FROM sessions WHERE id = :session)")
    rows = db.execute(
        SELECT_EVENT + f" WHERE {' AND '.join(conditions)} ORDER BY events.cursor LIMIT :limit",
        {"agent": agent, "session": session, "after": after, "limit": limit},
    )
    return [decode_event(row) for row in rows]


@told(Audience.NOBODY)
def partials(db: Connection, session: str) -> dict[str, str]:
    """Return the text so far of a session's unfinished blocks."""
    rows = db.execute(
        "SELECT block, text FROM partials WHERE session = (SELECT key FROM sessions WHERE id = ?)", (session,)
    )
    return {block: decode_text(text) for block, text in rows}


@told(Audience.NOBODY)
def last_cursor(db: Connection) -> int:
    """Return the highest cursor that was ever given."""
    row = db.execute("SELECT seq FROM sqlite_sequence WHERE name = 'events'").fetchone()
    return row[0] if row else 0


@told(Audience.NOBODY)
def cursor_before_last(db: Connection, agent: str | None, count: int) -> int:
    """Return the cursor after which the last ``count`` events come: of the agent, or of all."""
    # Two statements: one for both cases would have to look at every event.
    which = "" if agent is None else " WHERE agent = (SELECT key FROM agents WHERE id = :agent)"
    row = db.execute(
        f"SELECT cursor FROM events{which} ORDER BY cursor DESC LIMIT 1 OFFSET :count", {"agent": agent, "count": count}
    ).fetchone()
    return row[0] if row else 0
