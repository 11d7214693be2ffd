"""The doorbell: wakes other processes when a store was written to.

Each listener binds a datagram socket of its own in a directory beside the store; ringing sends a datagram to every
socket there: an empty one, or one with the names of those whom it concerns. The directory stands with the store and
not with the login, whose runtime directory differs from process to process (cron, ``sudo``, an agent's cleaned
environment) and goes away with the last terminal.
"""

from __future__ import annotations

import os
import select
import socket
import time
from collections.abc import Collection, Sequence
from contextlib import closing, suppress
from pathlib import Path

from relaykit.descriptor import DescriptorReader
from relaykit.errors import StoreError

_PROCESS = os.urandom(8).hex()
"""Begins the names of this process's listeners: in containers that share a directory a process id may be another's."""
_SAID_BYTES = 512
"""What one ring may say at most: little, so that many fit into a socket's buffer."""
_TICK_NS = 10**9
"""More than a tick of any file system's clock."""
_LOOK_SECONDS = 0.2
"""How often who may not listen looks for itself."""


class Bell:
    """Rings for everyone who listens to a store."""

    def __init__(self, store: Path) -> None:
        self._street, self._socket = _open(store)

    def ring(self, named: Collection[str] | None = None, *, quietly: bool = False) -> None:
        """Wake every listener; never wait for one, never fail: what was written is written.

        Args:
            named: The only ones whom it concerns; None is everyone.
            quietly: Wake those of other processes only.
        """
        said = _said(named)
        for name in self._street.names():
            if not (quietly and _is_own(name)):
                self._ring_at(name, said)

    def _ring_at(self, name: str, said: bytes) -> None:
        try:
            _ring(self._socket, self._street.address(name), said)
        except ConnectionRefusedError:
            self._street.remove(name)  # its process is dead
        except BlockingIOError:
            self._ring_apart(name, said)
        except OSError:
            return  # gone since, or forbidden by a sandbox

    def _ring_apart(self, name: str, said: bytes) -> None:
        """Ring by another socket: what listeners that are stopped have not heard may fill the buffer of this one."""
        with suppress(OSError), closing(_datagrams()) as apart:  # the listener's own is full: it has rung there
            _ring(apart, self._street.address(name), said)

    def close(self) -> None:
        """Ring no more."""
        self._socket.close()
        self._street.close()


class Listener:
    """Hears each ring from its making on; rings that come while nobody waits are one, which concerns everyone.

    Where a sandbox forbids that, a wait ends after a fifth of a second at most, unheard: its caller looks for itself.
    """

    def __init__(self, store: Path) -> None:
        self._street, self._socket = _open(store)
        self._name = f"{_PROCESS}-{os.urandom(8).hex()}"
        self._reader = DescriptorReader(self._socket.fileno(), self._hear)
        self._deaf = False
        try:
            self._socket.bind(self._street.address(self._name))
        except PermissionError:
            self._deaf = True
        except OSError as error:
            self.close()
            raise StoreError(f"{store}: its doorbell cannot be listened to ({error.strerror})") from error

    async def wait(self) -> Collection[str] | None:
        """Return when it has rung since this last returned: whom that concerns, or None for everyone."""
        import anyio  # noqa: PLC0415 - a command line that only rings pays for no event loop

        if self._deaf:
            await anyio.sleep(_LOOK_SECONDS)
            return None
        return await self._reader.next()

    def wait_for(self, seconds: float | None, concerning: str | None = None) -> bool:
        """Wait without an event loop; return whether it has rung in time, for that name or for everyone."""
        if self._deaf:
            seconds = _LOOK_SECONDS if seconds is None else min(seconds, _LOOK_SECONDS)
        until = None if seconds is None else time.monotonic() + seconds
        while self._rings_within(until):
            named = self._hear()
            if concerning is None or named is None or concerning in named:
                return True
        return False

    def _rings_within(self, until: float | None) -> bool:
        seconds = None if until is None else max(until - time.monotonic(), 0)
        return bool(select.select([self._socket], [], [], seconds)[0])

    def close(self) -> None:
        """Listen no more."""
        self._reader.stop(StoreError("its doorbell is listened to no more"))
        self._socket.close()
        self._street.remove(self._name)
        self._street.close()

    def _hear(self) -> Collection[str] | None:
        said = self._socket.recv(_SAID_BYTES)
        # Of several some may have been lost, for there is room for so many only.
        return _named(said) if not self._drain() else None

    def _drain(self) -> int:
        """Hear all that has rung; return how often that was."""
        count = 0
        with suppress(BlockingIOError):
            while True:
                self._socket.recv(1)
                count += 1
        return count


class _Street:
    """The directory of the sockets, reached by its descriptor: a socket's path may have 107 bytes at most."""

    def __init__(self, store: Path) -> None:
        path = store.with_name(f"{store.name}-bell")
        self._names: Sequence[str] = ()
        self._listed_at: int | None = None
        try:
            path.mkdir(mode=0o700, exist_ok=True)
            self._directory = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        except OSError as error:
            raise _unmade(path, error) from error
        self.path = path

    def names(self) -> Sequence[str]:
        """Return the listeners' names, those of other processes first: theirs is the longer way."""
        changed = os.fstat(self._directory).st_mtime_ns
        if changed != self._listed_at:
            # Listing takes a descriptor; where this process has none left, those known so far are better than nobody.
            with suppress(OSError):
                self._list(changed)
        return self._names

    def _list(self, changed: int) -> None:
        found = os.listdir(self._directory)  # noqa: PTH208 - a descriptor is no path
        self._names = sorted(found, key=_is_own)
        # What changes within one tick of the file system's clock may leave the same time behind.
        self._listed_at = changed if time.time_ns() - changed > _TICK_NS else None

    def address(self, name: str) -> str:
        return f"/proc/self/fd/{self._directory}/{name}"

    def remove(self, name: str) -> None:
        with suppress(FileNotFoundError):
            os.unlink(name, dir_fd=self._directory)

    def close(self) -> None:
        os.close(self._directory)


def _open(store: Path) -> tuple[_Street, socket.socket]:
    street = _Street(store)
    try:
        return street, _datagrams()
    except OSError as error:
        street.close()
        raise _unmade(street.path, error) from error


def _unmade(path: Path, error: OSError) -> StoreError:
    return StoreError(f"{path}: the doorbell cannot be made ({error.strerror})")


def _is_own(name: str) -> bool:
    return name.startswith(_PROCESS)


def _ring(bell: socket.socket, address: str, said: bytes) -> None:
    # Not sendto: the sandboxes of coding agents forbid it, even between processes of one machine.
    bell.sendmsg([said], [], 0, address)


def _said(named: Collection[str] | None) -> bytes:
    """Return what a ring says: nothing where it concerns everyone, or those who cannot be named in it."""
    if named is None or any("\n" in name for name in named):
        return b""
    said = ("\n" + "\n".join(named)).encode()
    return said if len(said) <= _SAID_BYTES else b""


def _named(said: bytes) -> Collection[str] | None:
    return [name for name in said.decode().split("\n") if name] if said else None


def _datagrams() -> socket.socket:
    made = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    made.setblocking(False)
    return made
