"""What the core lends to a component, for tests: real processes, everything else in memory."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import anyio.lowlevel

from relaykit.errors import ConflictError
from relaykit.model import USER, Accepted, Command, CommandState, Delivery, Draft, Message, Priority, State, Step
from relaykit.plugin import Context
from relaykit.relay.children.processes import RelayProcesses
from relaykit.relay.clock import SystemClock
from relaykit.storage.attachments import LentAttachments
from relaykit.testing.memory_credentials import MemoryCredentials

if TYPE_CHECKING:
    from relaykit.errors import RefusedError, StoreError
    from relaykit.model import CommandKind, Credential
    from relaykit.plugin import Clock


class MemoryIntake:
    """Takes messages in, once each, and remembers them; refuses while it is told to.

    Attributes:
        drafts: What was accepted, in order.
        orders: The commands that were accepted, in order, each once.
        refusal: Raised by every put while it is set.
    """

    def __init__(self) -> None:
        self.drafts: list[Draft] = []
        self.orders: list[Command] = []
        self.refusal: RefusedError | StoreError | None = None

    async def put(self, draft: Draft, *, synced: bool = True) -> Accepted:  # noqa: ARG002 - memory has no disk
        """Accept a message, or say that it was accepted before."""
        await anyio.lowlevel.checkpoint()
        if self.refusal is not None:
            raise self.refusal
        known = next((one for one in self.drafts if (one.account, one.id) == (draft.account, draft.id)), None)
        if known is None:
            self.drafts.append(draft)
        elif known.body != draft.body:
            raise ConflictError(f"{draft.id} was used before for another text")
        return _accepted(draft, first=known is None)

    async def order(self, agent: str, kind: CommandKind, *, text: str = "", sender: str, id: str) -> Command:
        """Accept a command, or say that it was accepted before."""
        await anyio.lowlevel.checkpoint()
        if self.refusal is not None:
            raise self.refusal
        if found := next((one for one in self.orders if one.id == id), None):
            return found
        made = Command(id=id, agent=agent, kind=kind, epoch=1, state=CommandState.ACCEPTED, text=text, sender=sender)
        self.orders.append(made)
        return made


def make_context(
    home: Path,
    *,
    name: str = "agents.conformance",
    clock: Clock | None = None,
    intake: MemoryIntake | None = None,
    secrets: Mapping[str, str | Credential] | None = None,
    credentials: MemoryCredentials | None = None,
) -> Context:
    """Return a context whose processes are real and whose directories are new ones below ``home``."""
    own = home / "component"
    own.mkdir(mode=0o700, parents=True, exist_ok=True)
    return Context(
        name=name,
        home=own,
        clock=clock or SystemClock(),
        processes=RelayProcesses(home / "run", SystemClock().boot_id()),
        intake=intake or MemoryIntake(),
        credentials=credentials or MemoryCredentials(secrets or {}),
        attachments=LentAttachments(home),
    )


def make_message(body: str, *, to: str = USER, sender: str = "tester", id: str | None = None) -> Message:
    """Return a message as a mailbox would have stored it."""
    draft = Draft(sender=sender, to=to, body=body) if id is None else Draft(sender=sender, to=to, body=body, id=id)
    return message_of(draft)


def message_of(draft: Draft) -> Message:
    """Return the message that a mailbox would make of a draft."""
    return Message(
        id=draft.id,
        sender=draft.sender,
        to=draft.to,
        body=draft.body,
        thread=draft.thread or draft.id,
        priority=draft.priority,
        kind=draft.kind,
        in_reply_to=draft.in_reply_to,
        cause=None,
        root=draft.id,
        hops=0,
        created_at=0.0,
        expires_at=draft.expires_at,
        account=draft.account,
        attachments=draft.attachments,
    )


def _accepted(draft: Draft, *, first: bool) -> Accepted:
    delivery = Delivery(
        id=1,
        message=draft.id,
        recipient=draft.to,
        state=State.QUEUED,
        reason="",
        priority=draft.priority or Priority.LATER,
        attempt=0,
        deaths=0,
        owner=None,
        epoch=None,
        submission=None,
        session=None,
        turn=None,
        wish=None,
        held=False,
        steps=(Step(State.QUEUED, 0.0),),
    )
    return Accepted(message=message_of(draft), deliveries=(delivery,), first=first)
