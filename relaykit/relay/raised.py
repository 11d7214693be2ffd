"""Where a plugin's own code raised an error."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import PurePath
from types import FrameType

_NO_PLUGINS = {"relaykit", "anyio", "trio", *sys.stdlib_module_names}


def raised_at(error: BaseException) -> str:
    """Return file and line of the innermost frame of a plugin's own code, nothing where none is in the traceback.

    A plugin's package is the first that the core called; what that called in turn is another's code.
    """
    frames = [(_package(frame), frame, line) for frame, line in _frames(error) if _package(frame) not in _NO_PLUGINS]
    own = [(frame, line) for package, frame, line in frames if package == frames[0][0]]
    return f"{PurePath(own[-1][0].f_code.co_filename).name}:{own[-1][1]}" if own else ""


def _frames(error: BaseException) -> Iterator[tuple[FrameType, int]]:
    trace = error.__traceback__
    while trace is not None:
        yield trace.tb_frame, trace.tb_lineno
        trace = trace.tb_next


def _package(frame: FrameType) -> str:
    name: str = frame.f_globals.get("__name__", "")
    return name.partition(".")[0]
