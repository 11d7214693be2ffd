"""Whether a relay lives: each holds an OS lock of its own, which the kernel gives back when its process dies.

So a death is known at once, where a heartbeat that does not come says it half a minute later. A relay without such a
file is one of which only its heartbeat tells.
"""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from relaykit.relay.directories import private_directory

_ENDING = ".life"


@contextmanager
def lifeline(home: Path, incarnation: str) -> Iterator[None]:
    """Hold a relay's lock while the context is open; one that breaks down leaves the file behind, as the killed do."""
    path = _path(home, incarnation)
    private_directory(path.parent)
    new = path.with_suffix(".new")
    held = os.open(new, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(held, fcntl.LOCK_EX)
        new.rename(path)  # whoever finds it finds it locked
        yield
        path.unlink(missing_ok=True)
    finally:
        os.close(held)


def dead(home: Path) -> Sequence[str]:
    """Return the incarnations of relays that died."""
    return [path.stem for path in _path(home, "*").parent.glob(f"*{_ENDING}") if _is_free(path)]


def forget(home: Path, incarnations: Iterable[str]) -> None:
    """Remove what dead relays left of their locks; what they held has been freed."""
    for incarnation in incarnations:
        _path(home, incarnation).unlink(missing_ok=True)


def _path(home: Path, incarnation: str) -> Path:
    return home / "locks" / f"{incarnation}{_ENDING}"


def _is_free(path: Path) -> bool:
    try:
        found = os.open(path, os.O_RDWR | os.O_CLOEXEC)
    except OSError:  # it has left meanwhile; of what cannot be opened the heartbeat tells
        return False
    try:
        fcntl.flock(found, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except OSError:
        return False
    else:
        return True
    finally:
        os.close(found)
