"""Whether the program of a session took what the relay's tools answered it over HTTP."""

from __future__ import annotations

from collections.abc import Iterable

import anyio
from msgspec import Struct, field


class _Use(Struct, eq=False):
    over: anyio.Event = field(default_factory=anyio.Event)
    taken: bool = False


class ToolUses:
    """The uses of the relay's tools that a session says are under way.

    An answer that was sent is in a socket, and may never be read: the program may die, or be interrupted. A provider whose
    program tells of the uses of its tools passes that on here. An answer to a use that is under way counts as taken only
    once that use has ended so; an answer to any other counts as taken once it was sent.
    """

    def __init__(self) -> None:
        self._open: dict[str, _Use] = {}

    def begin(self, use: str) -> None:
        """Note that a use is under way; ``use`` is what the ``_meta`` of its call has as the value of some field."""
        self._open.setdefault(use, _Use())

    def end(self, use: str, *, taken: bool) -> None:
        """Note that a use is over, and whether the program took the answer; one that never began is passed over."""
        if (found := self._open.pop(use, None)) is not None:
            found.taken = taken
            found.over.set()

    def drop(self) -> None:
        """End all that are under way, with nothing taken: their turn is over, or the program is gone."""
        for use in list(self._open):
            self.end(use, taken=False)

    async def taken(self, names: Iterable[str]) -> bool:
        """Return whether the answer to a use was taken, once that is known; ``names`` are those it may have."""
        found = next((self._open[name] for name in names if name in self._open), None)
        if found is None:
            return True
        await found.over.wait()
        return found.taken
