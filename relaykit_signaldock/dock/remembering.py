"""The dock's own store, which remembers what every request asks it, and forgets it where anything was written."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, TypeVar

from relaykit_signaldock.dock.sqlite_store import SqliteStore, Write

if TYPE_CHECKING:
    import sqlite3

    from relaykit_signaldock.dock.records import Conversation, DockAgent

T = TypeVar("T")
_MOST = 10_000


class RememberingStore(SqliteStore):
    """The store; between two calls of ``look`` it may be as old as the first of them."""

    def __init__(self, database: sqlite3.Connection, log: int) -> None:
        super().__init__(database, log)
        self._version = -1
        self._known: dict[tuple[str, str], Any] = {}

    def look(self) -> None:
        """Forget what is remembered, if another process has written since."""
        ((version,),) = self._rows("PRAGMA data_version")
        if version != self._version or len(self._known) > _MOST:
            self._version = version
            self._known.clear()

    def agent(self, id: str) -> DockAgent | None:
        """Return the agent of that id."""
        return self._once("agent", id, super().agent)

    def conversation(self, id: str) -> Conversation | None:
        """Return the conversation of that id."""
        return self._once("conversation", id, super().conversation)

    def key(self, hash: str) -> tuple[str, float | None, bool, bool] | None:
        """Return whose key has that hash, and until when it is good."""
        return self._once("key", hash, super().key)

    def _once(self, kind: str, name: str, look_up: Callable[[str], T | None]) -> T | None:
        """Return what is remembered, or look it up; that there is none is not remembered, for guesses have no end."""
        found: T | None = self._known.get((kind, name))
        if found is None and (found := look_up(name)) is not None:
            self._known[kind, name] = found
        return found

    @contextmanager
    def _written(self, *, synced: bool = True) -> Iterator[Write]:
        self._known.clear()
        try:
            with super()._written(synced=synced) as write:
                yield write
        finally:
            self._known.clear()
