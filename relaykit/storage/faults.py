"""What SQLite complains of, as errors that say what is to be done."""

from __future__ import annotations

import sqlite3

from relaykit.errors import StoreBusyError, StoreDamagedError, StoreError, StoreFullError

_BUSY = (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED)
_CORRUPT = (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB)
_FORBIDDEN = (sqlite3.SQLITE_READONLY, sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_PERM)
# A quota or a file-size limit that is reached is reported as a failed write, not as a full disk.
_FULL = (sqlite3.SQLITE_IOERR_WRITE, sqlite3.SQLITE_IOERR_SHMSIZE)


def translate(error: sqlite3.Error, path: str) -> StoreError:
    """Return the error of ours that says what a database error means for the file, and what to do."""
    code = getattr(error, "sqlite_errorcode", 0)
    primary = code & 0xFF
    if primary in _BUSY:
        return StoreBusyError(f"{path}: another process holds it for too long; nothing was written, try again")
    if primary == sqlite3.SQLITE_FULL or code in _FULL:
        return StoreFullError(f"{path}: there is no room on the disk; nothing was written, make room and try again")
    if primary in _CORRUPT:
        return corrupt(path, str(error))
    if primary in _FORBIDDEN:
        return StoreError(f"{path}: it cannot be opened for writing ({error}); check its owner and its permissions")
    return StoreError(f"{path}: {error}")


def corrupt(path: str, detail: str) -> StoreDamagedError:
    """Return the error for a file that is damaged; nobody has touched it."""
    return StoreDamagedError(
        f"{path}: it is damaged or no database ({' '.join(detail.split())}); it was left as it is: keep a copy, "
        "then restore a backup, or move it away to begin with an empty one"
    )
