"""Transports: they carry messages between the mailbox and the outside."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Collection
from contextlib import AbstractContextManager
from typing import TYPE_CHECKING, Protocol, runtime_checkable

from msgspec import Struct

if TYPE_CHECKING:
    from anyio.abc import ObjectReceiveStream

    from relaykit.model import Attachment, Message


class Receipt(Struct, frozen=True, kw_only=True):
    """The other side took a message."""

    detail: str
    """One line for the trace: what took it, under what id, and whether it may have been sent twice."""


class Transport(Protocol):
    """Carries messages to and from one outside.

    Inwards: a task of its own puts every message through ``Context.intake`` under the id that the outside
    gave it, and acknowledges to the outside only after ``put`` has returned. Outwards: the relay calls ``send``
    for one message at a time per recipient, and for several recipients at once.
    """

    def reaches(self, recipient: str) -> bool:
        """Whether sending to that recipient can be tried now; the delivery waits while not."""
        ...

    async def send(self, message: Message, recipient: str) -> Receipt:
        """Return once the other side took the message.

        Raises:
            TransportError: Not this time; the relay tries again with back-off.
            TransportRefusedError: Never; the delivery ends ``refused`` with the reason.
        """
        ...


@runtime_checkable
class Subscribable(Protocol):
    """A transport by which programs in this process read what is sent to people."""

    @property
    def readers(self) -> Collection[str]:
        """Whose messages are read now."""
        ...

    def subscribe(self, person: str) -> AbstractContextManager[ObjectReceiveStream[Message]]:
        """Read a person's messages while the context is open; each counts as acknowledged once it is handed over."""
        ...


@runtime_checkable
class FetchesAttachments(Protocol):
    """A transport that fetches the files which its messages name."""

    def fetch(self, attachment: Attachment) -> AsyncGenerator[bytes, None]:
        """Yield the content that the attachment's ``source`` names, as it comes.

        The caller bounds size and time, and checks the digest.

        Raises:
            TransportError: It cannot be had; the message is delivered all the same, and says why.
        """
        ...
