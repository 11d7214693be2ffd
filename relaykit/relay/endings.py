"""Why a life of an agent ended."""

from __future__ import annotations

from enum import StrEnum

from relaykit.errors import LeaseLostError, ProviderError, RelaykitError, StoreError
from relaykit.model import CommandKind, Fault, Whose
from relaykit.relay.delivering.lost import SessionLostError
from relaykit.relay.raised import raised_at


class End(StrEnum):
    """Why a life ended."""

    STOPPED = "stopped"
    RESTARTED = "restarted"
    RECONNECTED = "reconnected"
    """As RESTARTED, but a process that outlives the relay goes on, with its turn."""
    UNAVAILABLE = "unavailable"
    """It could not begin; its agent rests."""
    DIED = "died"
    ATTACHED = "attached"
    """A person goes on with its session."""


BY_ORDER = {
    CommandKind.RESTART: End.RESTARTED,
    CommandKind.RECONNECT: End.RECONNECTED,
    CommandKind.ATTACH: End.ATTACHED,
}
"""How a life ends by an order after which another one follows."""


def cause(error: BaseException) -> BaseException:
    """Return what lies at the bottom of exceptions that task groups have wrapped."""
    while isinstance(error, BaseExceptionGroup):
        known = error.subgroup((ProviderError, LeaseLostError, SessionLostError, StoreError))
        error = (known or error.subgroup(RelaykitError) or error).exceptions[0]
    return error


def why(error: BaseException, *, ready: bool) -> ProviderError | str:
    """Return what kept a life from going on, as an error after which the agent rests, or how its session died.

    Args:
        error: What ended it.
        ready: Whether its worker was ready. Before that no process holds anything that it could have died of.
    """
    match error := cause(error):
        case ProviderError():
            return error
        case LeaseLostError():
            fault = Fault(whose=Whose.RELAY, code="lease_lost", message=f"{error}; claiming it again")
            return ProviderError(fault)
        case StoreError():
            return ProviderError(Fault(whose=Whose.RELAY, code="store", message=str(error)))
        case SessionLostError():
            return str(error)
        case RelaykitError() if not ready:
            return ProviderError(Fault(whose=Whose.AGENT, code="not_opened", message=str(error)))
        case _:
            at = raised_at(error)
            return f"{type(error).__name__}: {error}" + (f" ({at})" if at else "")


def died(why: str) -> Fault:
    """Return what is told of an agent whose session died."""
    return Fault(whose=Whose.PROCESS, code="died", message=why)


def never_ready(agent: str) -> ProviderError:
    """Return what whoever waited for an agent gets when it was stopped before that."""
    return ProviderError(Fault(whose=Whose.RELAY, code="stopped", message=f"{agent} was stopped before it was ready"))
