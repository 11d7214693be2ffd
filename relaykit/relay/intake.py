"""The way in for transports: what they bring is stored before they acknowledge it."""

from __future__ import annotations

from collections.abc import Callable

from msgspec.structs import replace

from relaykit.errors import StoreError
from relaykit.model import Accepted, Command, CommandKind, Draft
from relaykit.plugin import Mailbox
from relaykit.relay.faultpoints import reached


class MailboxIntake:
    """Puts drafts in under the account of one transport, so that its ids cannot be taken for another's."""

    def __init__(self, transport: str, mailbox: Callable[[], Mailbox | None]) -> None:
        self._transport = transport
        self._mailbox = mailbox

    async def put(self, draft: Draft, *, synced: bool = True) -> Accepted:
        """Store a message, as the contract of ``Intake`` says."""
        mailbox = self._opened()
        account = f"{self._transport}/{draft.account or ''}"
        accepted = await mailbox.put(replace(draft, account=account), synced=synced)
        reached("put")
        return accepted

    async def order(self, agent: str, kind: CommandKind, *, text: str = "", sender: str, id: str) -> Command:
        """Store a command, as the contract of ``Intake`` says."""
        return await self._opened().order(agent, kind, text=text, sender=sender, id=f"{self._transport}/{id}")

    def _opened(self) -> Mailbox:
        mailbox = self._mailbox()
        if mailbox is None:
            raise StoreError(f"{self._transport}: the mailbox is not open yet")
        return mailbox
