"""What ``relaykit doctor`` looks at: the machine and the home."""

from __future__ import annotations

import os
import platform
import shutil
import sqlite3
import stat
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from relaykit.cli.finding import Finding, Level
from relaykit.cli.plugin_checks import plugins_and_configuration
from relaykit.cli.store_checks import relays, stores
from relaykit.errors import RelaykitError
from relaykit.relay.directories import refuse_shared
from relaykit.storage.doorbell import Bell, Listener
from relaykit.storage.network import refuse_network

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

_LITTLE = 2**30
_TOO_LITTLE = 64 * 2**20
_BELL_SECONDS = 2.0


def findings(home: Path) -> Iterator[Finding]:
    """Look at everything, one after the other; a check that fails stops none of those behind it."""
    looks: Mapping[str, Callable[[], Iterable[Finding]]] = {
        "python": lambda: [_python()],
        "home": lambda: [_rights(home)],
        "file system": lambda: [_file_system(home)],
        "disk": lambda: [_disk(home)],
        "doorbell": lambda: [_doorbell()],
        "stores": lambda: stores(home),
        "relays": lambda: relays(home),
        "plugins": plugins_and_configuration,
    }
    for name, look in looks.items():
        try:
            yield from look()
        except (RelaykitError, OSError) as error:
            yield Finding(name, Level.FAIL, f"this cannot be looked at: {error}")


def _python() -> Finding:
    return Finding("python", Level.OK, f"Python {platform.python_version()}, SQLite {sqlite3.sqlite_version}")


def _rights(home: Path) -> Finding:
    if not os.path.lexists(home):
        return _makeable(home)
    if not home.is_dir() or not os.access(home, os.R_OK | os.W_OK | os.X_OK):
        return Finding(
            "home", Level.FAIL, f"{home} is no directory that you may write to", "choose another: --home DIR"
        )
    try:
        refuse_shared(home)
    except RelaykitError as error:
        return Finding("home", Level.FAIL, str(error))
    if mode := stat.S_IMODE(home.stat().st_mode) & 0o077:
        return Finding("home", Level.WARN, f"others may look into {home} (mode {mode:03o})", f"chmod 700 {home}")
    return Finding("home", Level.OK, f"{home}, yours alone")


def _makeable(home: Path) -> Finding:
    above = _nearest(home)
    if above.is_dir() and os.access(above, os.W_OK | os.X_OK):
        return Finding("home", Level.OK, f"{home} is made by the first command that needs it")
    text = f"{home} is not there, or not for you, and {above} is no directory that you may write to"
    return Finding("home", Level.FAIL, text, "choose another: --home DIR")


def _nearest(home: Path) -> Path:
    """Return the home, or what is nearest above it of what can be seen."""
    return next(path for path in (home, *home.parents) if os.path.lexists(path))


def _file_system(home: Path) -> Finding:
    try:
        refuse_network(home)
    except RelaykitError as error:
        return Finding("file system", Level.FAIL, str(error))
    return Finding("file system", Level.OK, "a local one, whose locks can be trusted")


def _disk(home: Path) -> Finding:
    free = shutil.disk_usage(_nearest(home)).free
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
