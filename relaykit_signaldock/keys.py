"""The key that every part of the transport signs in with, at each request the one that is right now."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from relaykit.model import Credential, Secret
from relaykit.plugin import Clock


class Keys:
    """The current key, and the other one while a rotation is under way or just over.

    Attributes:
        swapped: Called when the current key has become another one.
    """

    def __init__(self, credential: Credential, clock: Clock, overlap: float) -> None:
        self._clock = clock
        self._overlap = overlap
        # A new key that was stored, and not seen to work, is the better guess; the old one stands beside it.
        self._current = credential.pending or credential.secret
        self._other = credential.secret if credential.pending else None
        self._other_until = float("inf")
        self.swapped: Callable[[], None] = lambda: None

    @property
    def current(self) -> Secret:
        """The key to sign in with."""
        return self._current

    def to_try(self) -> Iterator[Secret]:
        """Yield the keys to try, in order: the current one, and the other one inside the overlap."""
        yield self._current
        if self._other is not None and self._clock.boot() < self._other_until:
            yield self._other

    def swap(self, key: Secret) -> bool:
        """Make a key the current one for everybody at once; return whether it was another one."""
        if key == self._current:
            return False
        self._other, self._other_until = self._current, self._clock.boot() + self._overlap
        self._current = key
        self.swapped()
        return True
