"""What a plugin's code raises without meaning to, as an error that says whose it is."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from relaykit.errors import PluginError, RelaykitError


@contextmanager
def blaming(what: str) -> Iterator[None]:
    """While the context lasts, any error but those of relaykit's own becomes a PluginError about ``what``."""
    try:
        yield
    except Exception as error:
        if _is_meant(error):
            raise
        inner = _innermost(error)
        raise PluginError(f"{what} raised {type(inner).__name__}: {inner}") from error


def _is_meant(error: Exception) -> bool:
    if isinstance(error, ExceptionGroup):
        return all(map(_is_meant, error.exceptions))
    return isinstance(error, RelaykitError)


def _innermost(error: Exception) -> Exception:
    while isinstance(error, ExceptionGroup):
        error = next(one for one in error.exceptions if not _is_meant(one))
    return error
