"""Every error that relaykit raises on purpose.

RelaykitError
├── UsageError                 exit 2: a wrong word on the command line
├── ConfigError                exit 2: the configuration does not fit; holds every problem found
├── PluginError                exit 2: a plugin that the configuration needs cannot be loaded
├── AlreadyRunError            exit 2: the agent is run by someone else
├── RefusedError               exit 4: a message or an order was not accepted; says why
│   ├── ConflictError          the same id with another body
│   ├── FullError              the recipient has too much waiting; later there may be room
│   ├── UnknownAddressError    nobody has that address
│   └── ClosedRequestError     a permission request that is no longer open
├── NotFoundError              exit 1: no message, request, command or agent has that id
├── StoreError                 exit 1: the mailbox or the session store cannot be used
│   ├── StoreBusyError         another process holds it too long; trying again is right
│   ├── StoreDamagedError      it is damaged, or no database at all; it was left as it is
│   ├── StoreFullError         the disk is full; nothing of the operation was kept
│   └── StoreVersionError      it was written by a newer relaykit
├── LeaseLostError             a worker's write came too late: the delivery is someone else's
├── ProviderError              a provider's fault, with whose it is
├── TransportError             the other side did not take a message this time
│   └── TransportRefusedError  the other side refused it for good
├── CredentialError            exit 2: a credential that is named cannot be had
└── WaitTimeoutError           exit 5: the wait is over, the message goes on
"""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

if TYPE_CHECKING:
    from collections.abc import Sequence

    from relaykit.model.fault import Fault


class RelaykitError(Exception):
    """Base class. The command line prints it as one line, without a traceback."""

    exit_code: ClassVar[int] = 1


class UsageError(RelaykitError):
    """A wrong word on the command line."""

    exit_code = 2


class ConfigError(RelaykitError):
    """The configuration does not fit.

    Attributes:
        problems: Every problem found, each a line with file, path and remedy.
    """

    exit_code = 2

    def __init__(self, problems: str | Sequence[str]) -> None:
        self.problems = (problems,) if isinstance(problems, str) else tuple(problems)
        super().__init__("\n".join(self.problems))


class PluginError(RelaykitError):
    """A plugin cannot be loaded, breaks the contract, or claims what another one claims."""

    exit_code = 2


class AlreadyRunError(RelaykitError):
    """The agent is run by another relay, which holds its lock."""

    exit_code = 2


class RefusedError(RelaykitError):
    """Something was not accepted; nothing of it was stored."""

    exit_code = 4


class ConflictError(RefusedError):
    """The id was used before for something else."""


class FullError(RefusedError):
    """Too much waits for the recipient; nothing was stored, and later there may be room."""


class UnknownAddressError(RefusedError):
    """Nobody has that address."""


class ClosedRequestError(RefusedError):
    """The permission request is no longer open, so the decision changes nothing."""


class NotFoundError(RelaykitError):
    """Nothing has that id."""


class StoreError(RelaykitError):
    """The mailbox or the session store cannot be used."""


class StoreBusyError(StoreError):
    """Another process holds the store for too long; nothing was written, trying again is right."""


class StoreDamagedError(StoreError):
    """The store is damaged, or no database at all; it was left as it is."""


class StoreFullError(StoreError):
    """There is no room on the disk; nothing of the operation was kept."""


class StoreVersionError(StoreError):
    """The store was written by a newer relaykit; this one leaves it alone."""


class LeaseLostError(RelaykitError):
    """The write of a worker whose lease is no longer good; that worker stops."""


class ProviderError(RelaykitError):
    """A provider could not do what it was asked.

    Attributes:
        fault: Whose fault it is, which decides what happens to the delivery.
    """

    def __init__(self, fault: Fault) -> None:
        self.fault = fault
        super().__init__(fault.message)


class TransportError(RelaykitError):
    """The other side did not take the message this time.

    Attributes:
        retry_after: Seconds after which the other side wants to be asked again, if it said so.
    """

    def __init__(self, message: str, retry_after: float | None = None) -> None:
        self.retry_after = retry_after
        super().__init__(message)


class TransportRefusedError(TransportError):
    """The other side refused the message for good."""


class CredentialError(RelaykitError):
    """A credential that the configuration names cannot be had."""

    exit_code = 2


class WaitTimeoutError(RelaykitError):
    """The wait is over; the message goes on and keeps its id."""

    exit_code = 5
