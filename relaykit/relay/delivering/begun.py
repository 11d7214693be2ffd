"""Which commands were begun."""

from __future__ import annotations

from collections import deque

from relaykit.model import Command

_REMEMBERED = 1000
"""Many more than anyone orders within the minute in which a command may still be taken."""


class Begun:
    """The commands that one agent's lives began with.

    A list of commands may be read before one of them is carried out, and come in after that.
    """

    def __init__(self) -> None:
        self._ids: deque[str] = deque(maxlen=_REMEMBERED)

    def begin(self, command: Command) -> bool:
        """Remember that it is begun with; False says that it was before, so that it must not be carried out again."""
        if command.id in self._ids:
            return False
        self._ids.append(command.id)
        return True
