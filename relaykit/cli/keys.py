"""Keys as a terminal sends them."""

from __future__ import annotations

import re
import termios
import tty
from collections.abc import Iterator
from contextlib import contextmanager, suppress

_KEY = re.compile(r"\x1b(?:\[[0-?]*[ -/]*[@-~]|O.|[^\[O\x1b])|[^\x1b]", re.DOTALL)
_BEGUN = re.compile(r"\x1b(?:\[[0-?]*[ -/]*|O)?\Z")


class Keys:
    """Tells the keys in what was read apart; one whose end has not come yet waits for it."""

    def __init__(self) -> None:
        self._rest = ""

    def read(self, typed: str) -> list[str]:
        """Return the keys, arrows and the like as the sequence that they send."""
        typed = self._rest + typed
        begun = _BEGUN.search(typed)
        self._rest = begun[0] if begun else ""
        return _KEY.findall(typed.removesuffix(self._rest))


@contextmanager
def keys_at_once(descriptor: int) -> Iterator[None]:
    """Have keys come without Enter, and not shown; Ctrl-C stays a signal."""
    before = termios.tcgetattr(descriptor)
    tty.setcbreak(descriptor, termios.TCSANOW)
    try:
        yield
    finally:
        with suppress(termios.error):  # it may be gone
            termios.tcsetattr(descriptor, termios.TCSANOW, before)
