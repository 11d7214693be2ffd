"""The dock's own store in a file."""

from __future__ import annotations

import json
import os
import sqlite3
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from msgspec.structs import replace

from relaykit.errors import StoreError
from relaykit_signaldock.dock.migrations import migrate
from relaykit_signaldock.dock.records import Annotation, Conversation, DeadLetter, DockAgent, Job
from relaykit_signaldock.dock.rows import agent_of, dump

if TYPE_CHECKING:
    from relaykit_signaldock.dock.store import Store

FILE = "dock.db"
_BUSY_SECONDS = 5.0
_UPLOAD_SECONDS = _DEAD_SECONDS = 90 * 86400.0
_RESERVE_SECONDS = 30 * 86400.0


class SqliteStore:
    """The store. The promises stand with the protocol."""

    def __init__(self, database: sqlite3.Connection, log: int) -> None:
        self._database = database
        self._log = log
        """File descriptor of the write-ahead log, for syncing alone; a checkpoint syncs it before it empties it."""

    def look(self) -> None:
        """Look at the file each time in any case."""

    def add(self, agent: DockAgent, key: str) -> bool:
        """Enter an agent with the hash of its key, if there is none of its id."""
        with self._written() as write:
            if write("INSERT OR IGNORE INTO agent (id, record) VALUES (?, ?)", agent.id, dump(agent)):
                write("INSERT INTO key VALUES (?, ?, NULL, 0, 0)", key, agent.id)
                return True
        return False

    def agent(self, id: str) -> DockAgent | None:
        """Return the agent of that id."""
        return next(map(agent_of, self._rows("SELECT record FROM agent WHERE id = ?", id)), None)

    def agents(self) -> Sequence[DockAgent]:
        """Return all agents, by id."""
        return list(map(agent_of, self._rows("SELECT record FROM agent ORDER BY id")))

    def update(self, agent: DockAgent) -> None:
        """Enter what is now known of an agent."""
        with self._written() as write:
            write("UPDATE agent SET record = ? WHERE id = ?", dump(agent), agent.id)

    def remove(self, id: str) -> bool:
        """Take an agent out, its keys at once."""
        with self._written() as write:
            write("DELETE FROM key WHERE agent = ?", id)
            write("DELETE FROM code WHERE agent = ?", id)
            for table in ("upload", "job", "dead_letter"):
                write(f"DELETE FROM {table} WHERE agent = ?", id)  # noqa: S608 - our own words
            return write("DELETE FROM agent WHERE id = ?", id) > 0

    def owner(self, key: str, now: float) -> str | None:
        """Return whose key has that hash and is good now."""
        found = self.key(key)
        if found is None:
            return None
        agent, until, used, reserve = found
        if until is None and not used:
            self._first_use(agent, key, now)
        if until is None or until > now or (reserve and until > now - _RESERVE_SECONDS and self._is_unheard_of(agent)):
            return agent
        return None

    def key(self, hash: str) -> tuple[str, float | None, bool, bool] | None:
        """Return whose key has that hash, until when it is good, whether it was used, and whether it is a reserve."""
        return next(iter(self._rows("SELECT agent, until, used, reserve FROM key WHERE hash = ?", hash)), None)

    def _first_use(self, agent: str, key: str, now: float) -> None:
        with self._written() as write:
            write("UPDATE key SET used = 1 WHERE hash = ?", key)
            write("DELETE FROM key WHERE agent = ? AND until <= ?", agent, now)

    def _is_unheard_of(self, agent: str) -> bool:
        """Whether nobody has used an agent's newest key: the answer with it may have been lost."""
        return bool(self._rows("SELECT 1 FROM key WHERE agent = ? AND until IS NULL AND used = 0", agent))

    def has_key(self, agent: str, now: float) -> bool:
        """Whether an agent has a key that is good."""
        return bool(self._rows("SELECT 1 FROM key WHERE agent = ? AND (until IS NULL OR until > ?)", agent, now))

    def replace_keys(self, agent: str, key: str, now: float, old_until: float, *, reserve: bool = False) -> None:
        """Give an agent a key; those that it had are good until then, and as a reserve until the new one was used."""
        with self._written() as write:
            _replace_keys(write, agent, key, now, old_until, reserve=reserve)

    def add_code(self, agent: str, code: str, until: float) -> None:
        """Keep the hash of an agent's claim code."""
        with self._written() as write:
            write("INSERT OR REPLACE INTO code VALUES (?, ?, ?)", agent, code, until)

    def claim(self, agent: str, code: str, key: str, now: float, old_until: float) -> bool:
        """Use a claim code up."""
        with self._written() as write:
            if not write("DELETE FROM code WHERE agent = ? AND hash = ? AND until > ?", agent, code, now):
                return False
            _replace_keys(write, agent, key, now, old_until, reserve=False)
            known = self.agent(agent)
            if known is not None:
                write("UPDATE agent SET record = ? WHERE id = ?", dump(replace(known, is_claimed=True)), agent)
        return True

    def seen(self, agent: str, at: float) -> None:
        """Note that an agent gave a sign of life."""
        with self._written(synced=False) as write:
            write("UPDATE agent SET seen_at = ? WHERE id = ?", at, agent)

    def last_seen(self) -> Mapping[str, float]:
        """Return when agents last gave a sign of life."""
        return dict(self._rows("SELECT id, seen_at FROM agent WHERE seen_at IS NOT NULL"))

    def polled(self, agent: str) -> int:
        """Return the arrival number up to which an agent has polled."""
        found = self._rows("SELECT polled FROM agent WHERE id = ?", agent)
        return int(found[0][0]) if found else 0

    def set_polled(self, agent: str, number: int) -> None:
        """Note how far an agent has polled."""
        with self._written() as write:
            write("UPDATE agent SET polled = max(polled, ?) WHERE id = ?", number, agent)

    def add_conversation(self, conversation: Conversation) -> None:
        """Enter a conversation, or the participants that it lacks."""
        with self._written(synced=len(conversation.participants) > 2) as write:  # noqa: PLR2004 - a pair
            about = (conversation.id, conversation.visibility, conversation.created_at)
            write("INSERT OR IGNORE INTO conversation VALUES (?, ?, ?)", *about)
            for name in conversation.participants:
                write("INSERT OR IGNORE INTO participant VALUES (?, ?)", conversation.id, name)

    def conversation(self, id: str) -> Conversation | None:
        """Return the conversation of that id."""
        return next(iter(self._conversations("WHERE id = ?", id)), None)

    def conversations(self, agent: str) -> Sequence[Conversation]:
        """Return the conversations that an agent takes part in, the latest first."""
        return self._conversations(
            "WHERE id IN (SELECT conversation FROM participant WHERE agent = ?) ORDER BY created_at DESC, id", agent
        )

    def pin(self, conversation: str, message: str) -> None:
        """Pin a message to its conversation."""
        with self._written() as write:
            write("INSERT OR IGNORE INTO pin VALUES (?, ?)", conversation, message)

    def unpin(self, conversation: str, message: str) -> bool:
        """Take a pin away; return whether there was one."""
        with self._written() as write:
            return write("DELETE FROM pin WHERE conversation = ? AND message = ?", conversation, message) > 0

    def pinned(self, conversation: str) -> Sequence[str]:
        """Return the ids of the messages that are pinned to a conversation."""
        return [row[0] for row in self._rows("SELECT message FROM pin WHERE conversation = ?", conversation)]

    def uploaded(self, agent: str, sha256: str, size: int, at: float) -> None:
        """Note that an agent has uploaded a file."""
        with self._written() as write:
            write("DELETE FROM upload WHERE at < ?", at - _UPLOAD_SECONDS)
            write("INSERT OR REPLACE INTO upload VALUES (?, ?, ?, ?)", agent, sha256, size, at)

    def upload_size(self, agent: str, sha256: str) -> int | None:
        """Return the bytes of a file that an agent has uploaded."""
        found = self._rows("SELECT size FROM upload WHERE agent = ? AND sha256 = ?", agent, sha256)
        return found[0][0] if found else None

    def annotate(self, message: str, annotation: Annotation) -> None:
        """Keep what a sender said of a message."""
        with self._written(synced=False) as write:
            write("INSERT OR IGNORE INTO annotation VALUES (?, ?)", message, dump(annotation))

    def job(self, agent: str) -> Job | None:
        """Return the message that an agent's endpoint did not take yet."""
        found = self._rows("SELECT message, attempts, due_at FROM job WHERE agent = ?", agent)
        return next((Job(message=message, attempts=attempts, due_at=due) for message, attempts, due in found), None)

    def note_job(self, agent: str, job: Job) -> None:
        """Note how often a message was posted to an agent's endpoint."""
        with self._written() as write:
            write("INSERT OR REPLACE INTO job VALUES (?, ?, ?, ?)", agent, job.message, job.attempts, job.due_at)

    def bury(self, agent: str, letter: DeadLetter) -> None:
        """Note that a message is posted no more."""
        with self._written() as write:
            write("DELETE FROM dead_letter WHERE at < ?", letter.at - _DEAD_SECONDS)
            about = (letter.message, letter.attempts, letter.reason, letter.at)
            write("INSERT OR REPLACE INTO dead_letter VALUES (?, ?, ?, ?, ?)", agent, *about)
            write("DELETE FROM job WHERE agent = ?", agent)

    def dead_letters(self, agent: str) -> Sequence[DeadLetter]:
        """Return what an agent's endpoint did not take, the latest first."""
        found = self._rows(
            "SELECT message, attempts, reason, at FROM dead_letter WHERE agent = ? ORDER BY at DESC, message", agent
        )
        return [DeadLetter(message=name, attempts=count, reason=why, at=at) for name, count, why, at in found]

    def unbury(self, agent: str, message: str) -> bool:
        """Have a dead letter posted again."""
        with self._written() as write:
            return write("DELETE FROM dead_letter WHERE agent = ? AND message = ?", agent, message) > 0

    def sync(self) -> None:
        """Make safe from loss of power all that was written before."""
        os.fdatasync(self._log)

    def annotations(self, messages: Collection[str]) -> Mapping[str, Annotation]:
        """Return what was said of messages, by id."""
        asked = json.dumps(list(messages))
        found = self._rows(
            "SELECT message, record FROM annotation WHERE message IN (SELECT value FROM json_each(?))", asked
        )
        return {message: Annotation(**json.loads(record)) for message, record in found}

    def _conversations(self, where: str, *values: Any) -> list[Conversation]:
        found = self._rows(
            "SELECT id, visibility, created_at, (SELECT json_group_array(agent) FROM participant "  # noqa: S608 - our own words
            f"WHERE conversation = id) FROM conversation {where}",
            *values,
        )
        return [
            Conversation(id=name, participants=tuple(sorted(json.loads(people))), visibility=visibility, created_at=at)
            for name, visibility, at, people in found
        ]

    def _rows(self, statement: str, *values: Any) -> list[Any]:
        with _told():
            return self._database.execute(statement, values).fetchall()

    @contextmanager
    def _written(self, *, synced: bool = True) -> Iterator[Write]:
        with _told():
            self._database.execute(f"PRAGMA synchronous = {'FULL' if synced else 'NORMAL'}")
            self._database.execute("BEGIN IMMEDIATE")
            try:
                yield Write(self._database)
                self._database.execute("COMMIT")
            finally:
                if self._database.in_transaction:
                    self._database.execute("ROLLBACK")


class Write:
    """Runs statements of one transaction; returns how many rows each wrote."""

    def __init__(self, database: sqlite3.Connection) -> None:
        self._database = database

    def __call__(self, statement: str, *values: Any) -> int:
        """Run a statement."""
        return self._database.execute(statement, values).rowcount


@contextmanager
def open_store(directory: Path, kind: Callable[[sqlite3.Connection, int], Store] = SqliteStore) -> Iterator[Store]:
    """Open the store of a directory, made where there is none.

    Raises:
        StoreError: It cannot be used.
        StoreVersionError: A newer dock wrote it.
    """
    path = directory / FILE
    path.touch(mode=0o600)
    with _told(), closing(sqlite3.connect(path, timeout=_BUSY_SECONDS, isolation_level=None)) as database:
        database.execute("PRAGMA journal_mode = WAL")
        migrate(database, path)
        with open(f"{path}-wal", "rb") as log:  # noqa: PTH123 - it is not a path of ours
            yield kind(database, log.fileno())


def _replace_keys(write: Write, agent: str, key: str, now: float, old_until: float, *, reserve: bool) -> None:
    # One that was replaced before stays as good as it was: the answer with its successor may have been lost.
    sooner = "UPDATE key SET until = min(coalesce(until, ?), ?), reserve = ? WHERE agent = ?"
    write(sooner, old_until, old_until, reserve, agent)
    write("DELETE FROM key WHERE agent = ? AND until <= ?", agent, now - _RESERVE_SECONDS if reserve else now)
    write("INSERT INTO key VALUES (?, ?, NULL, 0, 0)", key, agent)


@contextmanager
def _told() -> Iterator[None]:
    try:
        yield
    except sqlite3.Error as error:
        raise StoreError(f"the dock's own store cannot be used: {error}") from error
