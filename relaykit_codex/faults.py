"""Whose fault an error of Codex's is."""

from __future__ import annotations

import json
import re

from relaykit.errors import ProviderError
from relaykit.model import Fault, Whose
from relaykit.plugin.fields import Fields, number, table, text
from relaykit.plugin.words import without_keys
from relaykit_codex.protocol import Failure

_AGENT = frozenset(
    {
        "unauthorized",
        "usageLimitExceeded",
        "rateLimitExceeded",
        "flexUnavailable",
        "serverOverloaded",
        "internalServerError",
        "httpConnectionFailed",
        "responseStreamConnectionFailed",
        "responseStreamDisconnected",
        "responseTooManyFailedAttempts",
    }
)
_MESSAGE = frozenset({"badRequest", "cyberPolicy", "invalid_request_error", "input_too_large"})
_BAD_INPUT = frozenset({400, 413, 422})
_SIGN_IN = frozenset({401, 403})
_STATUS = re.compile(r"unexpected status (\d{3})")
_CONNECTION = re.compile(
    r"stream disconnected|error sending request|connection|timed? ?out|Missing environment", re.IGNORECASE
)
_AGAIN = re.compile(r"try again in (\d+(?:\.\d+)?) ?(ms|s|m)", re.IGNORECASE)
_HARMLESS = re.compile(r"use the bundled bubblewrap|^Project-local config.* disabled")
_SECONDS = {"ms": 0.001, "s": 1.0, "m": 60.0}


def turn_fault(error: Fields) -> Fault:
    """Return the fault of a turn's error."""
    code, status = _info(error)
    details = text(error, "additionalDetails")
    code, message = _told(code, text(error, "message") or "the turn failed")
    message = f"{message}: {details}" if details else message
    found = _STATUS.search(message)
    status = status or (int(found[1]) if found else None)
    again = _AGAIN.search(message)
    remedy = "; sign in with `codex login`, or configure a credential" if status in _SIGN_IN else ""
    return Fault(
        whose=_whose(code, status, message),
        code=f"{code}:{status}" if status else code,
        message=without_keys(message) + remedy,
        retry_after=float(again[1]) * _SECONDS[again[2].lower()] if again else None,
    )


def refusal(failure: Failure) -> ProviderError:
    """Return the error of a request that codex did not do."""
    code = text(failure.data, "input_error_code") or text(failure.data, "code")
    if "input_too_large" in (code, text(failure.data, "type")) or "maximum length" in failure.message:
        code = "input_too_large"
    whose = Whose.MESSAGE if code in _MESSAGE else Whose.AGENT
    message = f"codex refused {failure.method}: {without_keys(failure.message)}"
    return ProviderError(Fault(whose=whose, code=code or "refused", message=message))


def agent_error(code: str, message: str) -> ProviderError:
    """Return an error that is the agent's: nothing was taken, and trying again is right once it is mended."""
    return ProviderError(Fault(whose=Whose.AGENT, code=code, message=without_keys(message)))


def config_fault(warning: Fields) -> Fault | None:
    """Return what a warning about the configuration means, None where it takes nothing away from what was asked.

    Codex goes on with defaults where its configuration is broken: another sandbox, another provider. That it uses
    the bubblewrap that it brings along, or leaves a project's own configuration aside, widens nothing.
    """
    summary = text(warning, "summary")
    if _HARMLESS.search(summary):
        return None
    place = text(warning, "details") or text(warning, "path")
    message = f"codex warns of its configuration; mend it and start again: {summary} {place}"
    return Fault(whose=Whose.AGENT, code="config", message=without_keys(message))


def _info(error: Fields) -> tuple[str, int | None]:
    """Return the name in ``codexErrorInfo``, and the HTTP status that it carries."""
    info = error.get("codexErrorInfo")
    if isinstance(info, dict) and info:
        name = next(iter(info))
        return str(name), number(info, name, "httpStatusCode")
    return (info, None) if isinstance(info, str) else ("other", None)


def _told(code: str, message: str) -> tuple[str, str]:
    """Take apart an error body that came through as the message."""
    try:
        error = table(json.loads(message), "error")
    except (ValueError, RecursionError):
        return code, message
    return text(error, "code") or text(error, "type") or code, text(error, "message") or message


def _whose(code: str, status: int | None, message: str) -> Whose:
    if code in _MESSAGE or status in _BAD_INPUT:
        return Whose.MESSAGE
    if code in _AGENT or status is not None or (code == "other" and _CONNECTION.search(message)):
        return Whose.AGENT
    return Whose.TURN
