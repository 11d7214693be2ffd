"""What ``relaykit doctor`` looks at: the machine and the home."""

from __future__ import annotations

import os
import platform
import shutil
import sqlite3
import stat
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

from relaykit.cli.finding import Finding, Level
from relaykit.cli.plugin_checks import plugins_and_configuration
from relaykit.cli.store_checks import relays, stores
from relaykit.errors import RelaykitError
from relaykit.storage.doorbell import Bell, Listener
from relaykit.storage.network import refuse_network

_LITTLE = 2**30
_TOO_LITTLE = 64 * 2**20
_BELL_SECONDS = 2.0


def findings(home: Path) -> Iterator[Finding]:
    """Look at everything, one after the other; a check that fails stops none of those behind it."""
    yield _python()
    yield _rights(home)
    yield _file_system(home)
    yield _disk(home)
    yield _doorbell()
    yield from stores(home)
    yield from relays(home)
    yield from plugins_and_configuration()


def _python() -> Finding:
    return Finding("python", Level.OK, f"Python {platform.python_version()}, SQLite {sqlite3.sqlite_version}")


def _rights(home: Path) -> Finding:
    if not home.exists():
        return Finding("home", Level.OK, f"{home} is made by the first command that needs it")
    if not home.is_dir() or not os.access(home, os.R_OK | os.W_OK | os.X_OK):
        return Finding(
            "home", Level.FAIL, f"{home} is no directory that you may write to", "choose another: --home DIR"
        )
    about = home.stat()
    if about.st_uid != os.getuid():
        return Finding(
            "home", Level.WARN, f"{home} belongs to user {about.st_uid}", "use a home of your own: --home DIR"
        )
    if mode := stat.S_IMODE(about.st_mode) & 0o077:
        return Finding("home", Level.WARN, f"others may look into {home} (mode {mode:03o})", f"chmod 700 {home}")
    return Finding("home", Level.OK, f"{home}, yours alone")


def _file_system(home: Path) -> Finding:
    try:
        refuse_network(home)
    except RelaykitError as error:
        return Finding("file system", Level.FAIL, str(error))
    return Finding("file system", Level.OK, "a local one, whose locks can be trusted")


def _disk(home: Path) -> Finding:
    there = next(path for path in (home, *home.parents) if path.exists())
    free = shutil.disk_usage(there).free
    text = f"{free / 2**30:.1f} GiB free"
    if free < _TOO_LITTLE:
        return Finding("disk", Level.FAIL, text, "make room: nothing can be accepted when the disk is full")
    return Finding("disk", Level.OK if free >= _LITTLE else Level.WARN, text)


def _doorbell() -> Finding:
    """Ring a doorbell in a directory that is thrown away: the same sockets as in the home."""
    with TemporaryDirectory(prefix="relaykit-doctor-") as directory:
        store = Path(directory) / "store"
        try:
            heard = _rings(store)
        except (RelaykitError, OSError) as error:
            return Finding(
                "doorbell", Level.FAIL, str(error), "sockets of one user must be allowed between its processes"
            )
    level = Level.OK if heard else Level.FAIL
    return Finding(
        "doorbell", level, "processes can wake each other" if heard else "a process does not hear another ring"
    )


def _rings(store: Path) -> bool:
    listener, bell = Listener(store), Bell(store)
    try:
        bell.ring()
        return listener.wait_for(_BELL_SECONDS)
    finally:
        bell.close()
        listener.close()
