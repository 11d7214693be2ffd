"""What the person who runs the relay is told: each trouble once when it begins, and once when it is over."""

from __future__ import annotations

from collections.abc import Callable


class Reporter:
    """Tells of troubles under topics, so that one that lasts does not fill the terminal."""

    def __init__(self, say: Callable[[str], None]) -> None:
        self._say = say
        self._troubled: set[str] = set()

    def say(self, text: str) -> None:
        """Tell something once."""
        self._say(text)

    def trouble(self, topic: str, text: str) -> None:
        """Tell of a trouble, unless it was told of and is not over."""
        if topic not in self._troubled:
            self._troubled.add(topic)
            self._say(text)

    def well(self, topic: str, text: str) -> None:
        """Tell that a trouble is over, if there was one."""
        if topic in self._troubled:
            self._troubled.discard(topic)
            self._say(text)
