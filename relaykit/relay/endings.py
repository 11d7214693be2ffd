"""Why a life of an agent ended."""

from __future__ import annotations

from enum import StrEnum

from relaykit.errors import LeaseLostError, ProviderError, StoreError
from relaykit.relay.delivering.handover import SessionLostError


class End(StrEnum):
    """Why a life ended."""

    STOPPED = "stopped"
    RESTARTED = "restarted"
    UNAVAILABLE = "unavailable"
    """It could not begin; its agent rests."""
    DIED = "died"


def cause(error: BaseException) -> BaseException:
    """Return what lies at the bottom of exceptions that task groups have wrapped."""
    while isinstance(error, BaseExceptionGroup):
        known = error.subgroup((ProviderError, LeaseLostError, SessionLostError, StoreError))
        error = (known or error).exceptions[0]
    return error
