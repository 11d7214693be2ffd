"""Whose fault an error of Claude's is."""

from __future__ import annotations

import re

from relaykit.errors import ProviderError
from relaykit.model import Fault, Whose
from relaykit.plugin.fields import Fields, number, strings, text
from relaykit.plugin.words import without_keys

_BAD_INPUT = frozenset({400, 404, 413, 422})
_SIGN_IN = frozenset({401, 403})
_SIGN_IN_REMEDY = "; run `claude` and sign in with /login, or configure a credential"
_NOT_SIGNED_IN = re.compile(r"not logged in|/login|invalid api key|oauth token", re.IGNORECASE)
_NO_MONEY = re.compile(r"credit balance|billing|usage limit|quota", re.IGNORECASE)
_TOO_LONG = re.compile(r"prompt is too long|context (window|limit)", re.IGNORECASE)
_LIMITS = {
    "error_max_turns": "the turn limit (max_turns) was reached",
    "error_max_budget_usd": "the cost limit (max_budget) was reached",
}
INTERRUPTIONS = frozenset({"aborted_streaming", "aborted_tools"})
"""Reasons for which a turn ended because someone wanted it to, error flag or not."""


def result_fault(result: Fields) -> Fault:
    """Return the fault of a turn that did not end well."""
    subtype, reason = text(result, "subtype"), text(result, "terminal_reason")
    status = number(result, "api_error_status")
    words = text(result, "result") or "; ".join(strings(result, "errors"))
    if subtype in _LIMITS:
        return Fault(whose=Whose.TURN, code=subtype, message=_LIMITS[subtype])
    if reason == "api_error" or status is not None or _NOT_SIGNED_IN.search(words):
        return api_fault(reason or "api_error", status, words)
    code = reason if reason not in ("", "completed") else subtype
    whose = Whose.MESSAGE if reason == "image_error" else Whose.TURN
    return Fault(
        whose=whose, code=code or "failed", message=without_keys(words) or "the turn failed, and claude says no more"
    )


def api_fault(kind: str, status: int | None, words: str) -> Fault:
    """Return the fault of what the model's API answered; no status is a connection that did not come about."""
    unsigned = status in _SIGN_IN or _NOT_SIGNED_IN.search(words)
    return Fault(
        whose=_whose(status, words),
        code=f"{kind}:{status}" if status else kind,
        message=(without_keys(words) or f"the API answered {status or 'nothing'}")
        + (_SIGN_IN_REMEDY if unsigned else ""),
    )


def agent_error(code: str, message: str) -> ProviderError:
    """Return an error that is the agent's: nothing was taken, and trying again is right once it is mended."""
    return ProviderError(Fault(whose=Whose.AGENT, code=code, message=without_keys(message)))


def _whose(status: int | None, words: str) -> Whose:
    if _TOO_LONG.search(words):
        return Whose.TURN
    bad = status in _BAD_INPUT and not _NO_MONEY.search(words) and not _NOT_SIGNED_IN.search(words)
    return Whose.MESSAGE if bad else Whose.AGENT
