"""A terminal of a test's own: a program in a pty, and the screen that a person would see."""

from __future__ import annotations

import fcntl
import os
import pty
import select
import signal
import struct
import termios
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

ROWS, COLUMNS = 40, 120
SECONDS = 30.0
"""Bounds every wait for what is shown."""
_ANSWERS = {
    b"\x1b[6n": b"\x1b[1;1R",
    b"\x1b]10;?": b"\x1b]10;rgb:ffff/ffff/ffff\x1b\\",
    b"\x1b]11;?": b"\x1b]11;rgb:0000/0000/0000\x1b\\",
    b"\x1b[c": b"\x1b[?1;2c",
}
"""What a terminal answers to the questions that programs ask it."""


class Terminal:
    """One program in a terminal."""

    def __init__(self, pid: int, file: int, rows: int = ROWS, columns: int = COLUMNS) -> None:
        import pyte  # noqa: PLC0415 - a plugin's author who has no terminal program needs none

        self.pid = pid
        self.raw = b""
        """All that the program wrote."""
        self._file = file
        self._screen = pyte.Screen(columns, rows)
        self._stream = pyte.ByteStream(self._screen)
        self._over = self._closed = False
        self._code: int | None = None

    @property
    def text(self) -> str:
        """What the screen shows now."""
        return "\n".join(line.rstrip() for line in self._screen.display).strip()

    def until(self, holds: Callable[[str], bool]) -> None:
        """Read until something holds of the screen."""
        end = time.monotonic() + SECONDS
        while not holds(self.text):
            assert not self._over, f"it is over:\n{self.text}"
            assert time.monotonic() < end, f"it never shows that:\n{self.text}"
            self._read()

    def shows(self, *words: str) -> None:
        """Read until the screen shows all of the words."""
        self.until(lambda text: all(word in text for word in words))

    def type(self, keys: str) -> None:
        """Press keys."""
        os.write(self._file, keys.encode())

    def resize(self, rows: int, columns: int) -> None:
        """Give the window another size, of which the program is told."""
        self._screen.resize(rows, columns)
        _set_size(self._file, rows, columns)

    def kill(self, number: int = signal.SIGKILL) -> None:
        """Send the program a signal; one that has ended is no error."""
        if self._code is None:
            os.kill(self.pid, number)

    def ended(self) -> int:
        """Read to the end of the program and return its exit code, negative for a signal."""
        end = time.monotonic() + SECONDS
        while not self._over:
            assert time.monotonic() < end, f"it does not end:\n{self.text}"
            self._read()
        return self._reaped()

    def hang_up(self) -> int:
        """Close the terminal as whoever closes its window does; return the program's exit code."""
        self._close_file()
        handle = os.pidfd_open(self.pid)
        try:
            assert select.select([handle], [], [], SECONDS)[0], f"it outlives its terminal:\n{self.text}"
        finally:
            os.close(handle)
        return self._reaped()

    def close(self) -> None:
        """Kill the program if it still runs."""
        self.kill()
        self._reaped()
        self._close_file()

    def _close_file(self) -> None:
        if not self._closed:
            self._closed = True
            os.close(self._file)

    def _reaped(self) -> int:
        if self._code is None:
            self._code = os.waitstatus_to_exitcode(os.waitpid(self.pid, 0)[1])
        return self._code

    def _read(self) -> None:
        if not select.select([self._file], [], [], 1.0)[0]:
            return
        try:
            data = os.read(self._file, 65536)
        except OSError:  # whose other side is closed reads as an error
            data = b""
        self._over = not data
        self.raw += data
        self._stream.feed(data)
        for question, answer in _ANSWERS.items():
            if question in data:
                os.write(self._file, answer)


@contextmanager
def terminal(
    argv: Sequence[str], *, env: Mapping[str, str], cwd: Path, rows: int = ROWS, columns: int = COLUMNS
) -> Iterator[Terminal]:
    """Run a program in a terminal; it is killed at the end, should it still run."""
    ours, theirs = pty.openpty()
    _set_size(ours, rows, columns)
    pid = os.posix_spawn(
        "/usr/bin/env",
        ["env", "-C", str(cwd), "setsid", "--ctty", *argv],
        dict(env),
        file_actions=[(os.POSIX_SPAWN_DUP2, theirs, number) for number in (0, 1, 2)],
    )
    os.close(theirs)
    shown = Terminal(pid, ours, rows, columns)
    try:
        yield shown
    finally:
        shown.close()


def _set_size(file: int, rows: int, columns: int) -> None:
    fcntl.ioctl(file, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
