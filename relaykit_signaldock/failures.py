"""What it means that a server did not do what it was asked."""

from __future__ import annotations

import json
from collections.abc import Mapping
from email.utils import parsedate_to_datetime
from typing import Any

from msgspec import Struct

from relaykit.errors import TransportError
from relaykit.plugin.words import one_line

LONGEST = 3600.0
"""Seconds that a server may ask to be left alone at a time."""
_EPOCH = 10**9
_FINAL = frozenset({400, 403, 404, 405, 406, 409, 410, 411, 413, 414, 415, 422})
_FINAL_CODES = ("E_VALIDATION", "E_NOT_FOUND", "E_CONFLICT", "E_AUTH_FORBIDDEN", "E_AUTH_INSUFFICIENT")
_UNAUTHORISED, _GOOD = 401, 300


class DockError(TransportError):
    """The server answered, and the answer is no.

    Attributes:
        status: The HTTP status.
        code: The code of its error, such as E_NOT_FOUND_AGENT, if it said one.
        final: Whether asking again is of no use.
    """

    def __init__(self, message: str, *, status: int, code: str, final: bool, retry_after: float | None) -> None:
        self.status = status
        self.code = code
        self.final = final
        super().__init__(message, retry_after)


class SignedOutError(DockError):
    """The server refuses the key."""


class LostError(TransportError):
    """No answer came: what was asked may have been done, or not."""


class TooLargeError(LostError):
    """An answer came, and is more than is read of one."""


class UnreachableError(TransportError):
    """The server was not reached: nothing was done."""


class Said(Struct, frozen=True):
    """What an error envelope says."""

    code: str
    message: str
    retry_after: float | None
    retryable: bool | None


def failure(status: int, headers: Mapping[str, str], body: bytes, *, now: float, what: str) -> DockError:
    """Return the error that an answer means."""
    said = _said(body)
    wait = retry_after(headers, now)
    kind = SignedOutError if status == _UNAUTHORISED else DockError
    # An answer of good status that says no has its code alone to tell by.
    final = said.code.startswith(_FINAL_CODES) if status < _GOOD else status in _FINAL
    final = final and said.retryable is not True
    detail = " ".join(part for part in (said.code, said.message) if part)
    message = f"{what}: the server answered {status}{f': {detail}' if detail else ''}"
    wait = wait if wait is not None else said.retry_after
    return kind(message, status=status, code=said.code, final=final, retry_after=wait)


def retry_after(headers: Mapping[str, str], now: float) -> float | None:
    """Return the seconds after which the server wants to be asked again, by Retry-After or the limit's reset."""
    if (text := headers.get("retry-after")) is not None:
        return _bounded(_number(text) if _number(text) is not None else _until_date(text, now))
    if _number(headers.get("x-ratelimit-remaining")) == 0 and (reset := _number(headers.get("x-ratelimit-reset"))):
        seconds = reset / 1000 if reset > _EPOCH * 100 else reset
        return _bounded(seconds - now if seconds > _EPOCH else seconds)
    return None


def _said(body: bytes) -> Said:
    try:
        document = json.loads(body)
    except (ValueError, RecursionError):
        return Said("", one_line(body.decode("utf-8", "replace")), None, None)
    error = document.get("error") if isinstance(document, dict) else None
    if isinstance(error, str):
        return Said("", one_line(error), None, None)
    about: dict[str, Any] = error if isinstance(error, dict) else document if isinstance(document, dict) else {}
    wait = about.get("retry_after_ms")
    return Said(
        one_line(str(about.get("code") or "")),
        one_line(str(about.get("message") or "")),
        _bounded(wait / 1000) if isinstance(wait, (int, float)) and not isinstance(wait, bool) else None,
        about.get("retryable") if isinstance(about.get("retryable"), bool) else None,
    )


def _number(text: str | None) -> float | None:
    try:
        value = float(text) if text is not None else None
    except ValueError:
        return None
    return value if value is not None and 0 <= value < float("inf") else None


def _until_date(text: str, now: float) -> float | None:
    try:
        return parsedate_to_datetime(text).timestamp() - now
    except (ValueError, OverflowError):
        return None


def _bounded(seconds: float | None) -> float | None:
    return None if seconds is None else min(max(seconds, 0.0), LONGEST)
