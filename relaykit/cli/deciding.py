"""Answering permission requests."""

from __future__ import annotations

import getpass
import os

from relaykit.cli.mail import mailbox
from relaykit.cli.output import clipped, say, say_json
from relaykit.cli.permissions import request_document
from relaykit.mailbox import permissions
from relaykit.model import Decision, Reply

_WORDS = {
    Decision.APPROVE: "approved",
    Decision.APPROVE_FOR_SESSION: "approved, and the like of it until the session ends",
    Decision.DENY: "denied",
    Decision.ABORT: "denied, and the turn is interrupted",
}


def answer(request: str, decision: Decision, *, reason: str = "", reply: Reply | None = None, json: bool) -> None:
    """Decide a request whose id may be cut short; ClosedRequestError where it is no longer open."""
    with mailbox() as door:
        decided = door.run(permissions.decide, request, decision, by=_who(), reason=reason, reply=reply)
    if json:
        say_json(request_document(decided))
    else:
        say(f"{_WORDS[decision]}: {decided.agent}, {clipped(decided.question.title)}")


def _who() -> str:
    """Return who decides, for the record: an agent's processes are named as that agent."""
    if agent := os.environ.get("RELAYKIT_AGENT"):
        return agent
    try:
        return getpass.getuser()
    except (KeyError, OSError):  # a user id without a name
        return str(os.getuid())
