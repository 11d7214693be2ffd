"""Whether the program of a session took what the relay's tools answered it."""

from __future__ import annotations

from collections.abc import Iterable

import anyio
from msgspec import Struct, field

_REMEMBERED = 1000


class _Use(Struct, eq=False):
    over: anyio.Event = field(default_factory=anyio.Event)
    taken: bool = False


class ToolUses:
    """The uses of the relay's tools that a session says are under way.

    An answer that was sent is in a socket or a pipe, and may never be read: the program may die, or be interrupted. A
    provider whose program tells of the uses of its tools passes that on here. An answer to a use that has begun counts as
    taken only if that use has ended so; an answer to any other counts as taken once it was sent.
    """

    def __init__(self) -> None:
        self._uses: dict[str, _Use] = {}
        """The last thousand; how one ended may be asked only after it has."""

    def begin(self, use: str) -> None:
        """Note that a use is under way; ``use`` is what the ``_meta`` of its call has as the value of some field."""
        self._uses.setdefault(use, _Use())
        if len(self._uses) > _REMEMBERED:
            del self._uses[next(iter(self._uses))]

    def end(self, use: str, *, taken: bool) -> None:
        """Note that a use is over, and whether the program took the answer; one that is not under way is passed over."""
        found = self._uses.get(use)
        if found is not None and not found.over.is_set():
            found.taken = taken
            found.over.set()

    def drop(self) -> None:
        """End all that are under way, with nothing taken: their turn is over, or the program is gone."""
        for use in self._uses:
            self.end(use, taken=False)

    async def taken(self, names: Iterable[str]) -> bool:
        """Return whether the answer to a use was taken, once that is known; ``names`` are those it may have."""
        found = next((self._uses[name] for name in names if name in self._uses), None)
        if found is None:
            return True
        await found.over.wait()
        return found.taken
