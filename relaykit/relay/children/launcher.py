"""Becomes a program that dies with the relay: ``python -I -S launcher.py PARENT GATE``; ``launching`` is the relay's side.

A PARENT of 0 is for a program that is to outlive the relay; it, too, waits for the relay to have written it down. Which
program it is stands on the gate: fields that NUL ends, namely how many there are, how many of them are arguments, the
path, the directory or nothing, the arguments, and the environment. A relay that dies, or cannot write it down, says less.

Runs alone, outside the package, and imports next to nothing: it stands between the relay and every program's start.
Not even ``signal`` and ``ctypes``, which make enumerations of its numbers, and types that nobody asks for: each takes
half as long as all the rest. What is below ``ctypes`` is CPython's own and has been what it is since 2.5.
"""

import _ctypes
import os
import sys


class _Function(_ctypes.CFuncPtr):
    _flags_ = _ctypes.FUNCFLAG_CDECL


_LIBC = _ctypes.dlopen(None, 0)  # type: ignore[arg-type] # None is this program itself
_prctl = _Function(_ctypes.dlsym(_LIBC, "prctl"))
_signal = _Function(_ctypes.dlsym(_LIBC, "signal"))
_PR_SET_PDEATHSIG = 1
_SIG_DFL = None
_SIGKILL, _SIGPIPE, _SIGXFSZ = 9, 13, 25
"""Linux has them so on every processor but MIPS, where only the last is another."""


def main() -> None:
    """Ask the kernel for the parent-death signal, wait for the relay's word, and become the program."""
    parent, gate = int(sys.argv[1]), int(sys.argv[2])
    os.set_inheritable(gate, False)
    # The relay may have died before the signal was asked for.
    if parent and not _dies_with(parent):
        sys.exit(127)
    fields = _read(gate)
    if not fields:
        sys.exit(127)
    count, path, directory, *rest = fields
    words, variables = rest[: int(count)], rest[int(count) :]
    # Python ignores both, and what is ignored stays so in the program.
    _signal(_SIGPIPE, _SIG_DFL)
    _signal(_SIGXFSZ, _SIG_DFL)
    step = b"directory"
    try:
        if directory:
            os.chdir(directory)
        step = b"program"
        os.execve(path, words, dict(entry.split(b"=", 1) for entry in variables))  # noqa: S606 - no shell is the point
    except OSError as exc:
        os.write(gate, b"%d %s" % (exc.errno or 0, step))
        sys.exit(127)


def _dies_with(parent: int) -> bool:
    failed = _prctl(_PR_SET_PDEATHSIG, _SIGKILL, 0, 0, 0)
    return not failed and os.getppid() == parent


def _read(gate: int) -> list[bytes]:
    """Return the fields after the first, which says how many there are; none where not all came."""
    said = b""
    while piece := os.read(gate, 65536):
        said += piece
    *fields, rest = said.split(b"\0")
    return fields[1:] if fields and not rest and int(fields[0]) == len(fields) - 1 else []


if __name__ == "__main__":
    main()
