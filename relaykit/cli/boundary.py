"""Where every command line ends: errors become one line and an exit code."""

from __future__ import annotations

import os
from contextlib import suppress
from typing import TYPE_CHECKING

from relaykit.cli.output import OutputError, all_told, complain, reader_gone, say_json, write
from relaykit.errors import RelaykitError

if TYPE_CHECKING:
    from collections.abc import Sequence

INTERRUPTED = 130
_FAILED = 1


def guarded(words: Sequence[str]) -> int:
    """Run one command line; return its exit code. Only a fault of relaykit's own leaves a traceback."""
    try:
        return _code(words)
    finally:
        all_told()


def _code(words: Sequence[str]) -> int:
    from relaykit.cli.dispatch import dispatch  # noqa: PLC0415 - inside, so that Ctrl-C while importing is quiet

    code = 0
    try:
        code = dispatch(words)
        write(now=True)
    except BrokenPipeError:  # whoever reads no more has what it wanted
        reader_gone()
        return code
    except KeyboardInterrupt:
        return INTERRUPTED
    except (RelaykitError, OSError) as error:
        return _told(error, words)
    except BaseExceptionGroup as group:
        return _told(_expected(group), words)
    return code


def _expected(group: BaseExceptionGroup) -> RelaykitError | OSError:
    """Return the error of a group that is to be told; raise the group where it holds anything unexpected."""
    expected, rest = group.split((RelaykitError, OSError))
    if rest is not None or expected is None:
        raise group
    error: BaseException = expected
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    return error  # type: ignore[return-value]  # split() left only these


def _told(error: RelaykitError | OSError, words: Sequence[str]) -> int:
    code = error.exit_code if isinstance(error, RelaykitError) else _FAILED
    options = words[: words.index("--")] if "--" in words else words
    if "--debug" in options:
        import traceback  # noqa: PLC0415 - only here

        traceback.print_exception(error)
    text = _text(error)
    for line in text.splitlines() or [type(error).__name__]:
        complain(line)
    if "--json" in options:
        with suppress(BrokenPipeError, OutputError):  # the exit code and standard error say it, too
            say_json({"error": text, "exit_code": code})
    return code


def _text(error: RelaykitError | OSError) -> str:
    if isinstance(error, OSError) and error.filename is not None and error.strerror:
        return f"{os.fsdecode(error.filename)}: {error.strerror}"
    return str(error)
