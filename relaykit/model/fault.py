"""Whose fault it is decides what happens to a delivery."""

from __future__ import annotations

from enum import StrEnum

from relaykit.model.record import Record


class Whose(StrEnum):
    """Who is to blame."""

    AGENT = "agent"
    """Sign-in, quota, rate, network, a missing binary: the agent pauses, nothing is counted."""
    TURN = "turn"
    """Turn or cost limit, context full, any other error after work: failed, with the partial text."""
    MESSAGE = "message"
    """Too large, or refused by the provider as bad input: dead at once."""
    PROCESS = "process"
    """The provider's process died holding it: counted once per death."""
    RELAY = "relay"
    """A graceful stop, an upgrade, a handover: never counted; else as with the agent's."""


class Fault(Record, frozen=True, kw_only=True):
    """What went wrong, in the provider's words."""

    whose: Whose
    code: str
    """The provider's own code, for programs: two in a row with one code are the same fault."""
    message: str
    """One line for people, with the remedy where there is one. No secrets."""
    retry_after: float | None = None
    """Seconds after which the provider said to try again."""
