"""Where this command finds the mailbox and the session store."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

from relaykit.config import peek

if TYPE_CHECKING:
    from pathlib import Path


@cache
def home() -> Path:
    """Return the relay's home: ``--home``, RELAYKIT_HOME, the configuration's, or the platform's state directory."""
    return peek().home


def is_missing(store: Path) -> bool:
    """Whether nobody has made that store yet; one that cannot be looked at is told of by whoever opens it."""
    try:
        store.stat()
    except FileNotFoundError:
        return True
    except OSError:
        return False
    return False
