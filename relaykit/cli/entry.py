"""The way in. What needs nothing is answered here, before anything else is imported."""

from __future__ import annotations

import gc
import os
import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command line; return its exit code."""
    _open_streams()
    words = list(sys.argv[1:] if arguments is None else arguments)
    if words in (["--version"], ["-V"]) and _told_version():
        return 0
    from relaykit.cli.boundary import guarded  # noqa: PLC0415 - not for --version

    gc.disable()  # until a command is called: what is imported stays, and to look through it is a tenth of a start
    try:
        return guarded(words)
    finally:
        gc.enable()


def _told_version() -> bool:
    """Write the version; return whether it was taken. Where not, it fails once more where errors are told."""
    from relaykit import __version__  # noqa: PLC0415 - nothing else may be imported for this

    try:
        sys.stdout.write(f"relaykit {__version__}\n")
        sys.stdout.flush()
    except OSError:
        return False
    return True


def _open_streams() -> None:
    """Have whoever closed a standard stream give nothing and want nothing.

    Left closed, its number would be that of the next file that is opened, and what is written there would end in a store.
    """
    for name, mode in (("stdin", "r"), ("stdout", "w"), ("stderr", "w")):
        if getattr(sys, name) is None:
            stream = open(os.devnull, mode, encoding="utf-8")  # noqa: PTH123, SIM115 - nothing is imported for it; it stays open
            os.set_inheritable(stream.fileno(), True)
            setattr(sys, name, stream)
