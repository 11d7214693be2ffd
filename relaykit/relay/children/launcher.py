"""Becomes a program that dies with the relay: ``python -I -S launcher.py PARENT GATE PATH ARGV0 [ARGUMENT …]``.

A PARENT of 0 is for a program that is to outlive the relay; it, too, waits for the relay to have written it down.

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
    parent, gate, path = int(sys.argv[1]), int(sys.argv[2]), sys.argv[3]
    # The relay may have died before the signal was asked for; and no word from it means that it could not write us down.
    if (parent and not _dies_with(parent)) or not os.read(gate, 1):
        sys.exit(127)
    os.set_inheritable(gate, False)
    # Python ignores both, and what is ignored stays so in the program.
    _signal(_SIGPIPE, _SIG_DFL)
    _signal(_SIGXFSZ, _SIG_DFL)
    try:
        os.execv(path, sys.argv[4:])  # noqa: S606 - no shell is the point
    except OSError as exc:
        os.write(gate, str(exc.errno).encode())
        sys.exit(127)


def _dies_with(parent: int) -> bool:
    failed = _prctl(_PR_SET_PDEATHSIG, _SIGKILL, 0, 0, 0)
    return not failed and os.getppid() == parent


if __name__ == "__main__":
    main()
