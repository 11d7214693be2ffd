"""Hands deliveries over to the session: the next one, one that joins the running turn, or one to go on with."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from typing import TYPE_CHECKING

import anyio

from relaykit.errors import ProviderError
from relaykit.model import LeasedDelivery, Mode, State, Whose, Wish, new_id
from relaykit.plugin import Joining
from relaykit.relay.delivering import replies
from relaykit.relay.delivering.held import Resumption
from relaykit.relay.delivering.lost import SessionLostError
from relaykit.relay.faultpoints import reached

if TYPE_CHECKING:
    from relaykit.relay.delivering.state import WorkerState
    from relaykit.relay.delivering.turns import RunningTurn

SUBMIT_SECONDS = 60.0
"""A provider that does not take a text within this is beyond help: its session is opened again."""
NOT_GONE_ON_WITH = "it was cancelled before it was gone on with"


class HandOver:
    """The way from the mailbox into the session."""

    def __init__(
        self, state: WorkerState, *, refused: Callable[[ProviderError, Sequence[LeasedDelivery]], Awaitable[None]]
    ) -> None:
        self._state = state
        self._session = state.session
        self._capabilities = state.capabilities
        self._claimed = state.claimed
        self._held = state.held
        self._notebook = state.notebook
        self._refused = refused

    @property
    def resumes(self) -> bool:
        """Whether there is something to be gone on with."""
        return bool(self._held.resumptions)

    def again(self, item: LeasedDelivery, note: str) -> None:
        """Hand a delivery over once more, as if it were new."""
        self._held.resumptions.append(Resumption((item,), note, anew=True))

    def go_on(self, items: Sequence[LeasedDelivery], note: str, *, quoted: bool = False) -> None:
        """Have the session go on with deliveries whose turn was cut off."""
        self._held.resumptions.append(Resumption(tuple(items), note, anew=False, quoted=quoted))

    def bind(self, items: Sequence[LeasedDelivery]) -> None:
        """Hold deliveries whose turn runs on, as if they had just been handed over."""
        for submission in {item.delivery.submission: None for item in items}:
            together = tuple(item for item in items if item.delivery.submission == submission)
            self._held.put(submission or "", together)

    async def next(self) -> None:
        """Hand over what is to be gone on with, else the next in the queue, if there is one."""
        while self._held.resumptions:
            if await self._resume(self._held.resumptions.popleft()):
                return
        submission = new_id()
        leased = await self._claimed.lease(submission, self._session.id)
        if leased is not None:
            await self._submit(submission, (leased,), self._text(leased), Mode.OWN)

    async def join(self, turn: RunningTurn) -> None:
        """Hand over the next that may join the turn: same thread, same reply address."""
        to = next((item.reply_to for item in self._held.of(turn.submissions)), None)
        if to is None or not self._capabilities.join:
            return
        submission = new_id()
        joining = Joining(thread=to.thread, recipient=to.recipient)
        leased = await self._claimed.lease(submission, self._session.id, joining)
        if leased is not None:
            await self._submit(submission, (leased,), self._text(leased), Mode.JOIN)

    async def _resume(self, resumption: Resumption) -> bool:
        """Hand over again what nobody cancelled in the meantime; return whether that is anything."""
        submission = new_id()
        items = [
            await self._claimed.relet(item.lease, submission, self._session.id, resumption.note, anew=resumption.anew)
            for item in resumption.items
        ]
        cancelled = [item for item in items if item.delivery.wish is Wish.CANCEL]
        if cancelled:
            leases, synced = [item.lease for item in cancelled], replies.reach_beyond(cancelled)
            await self._claimed.settle(leases, State.CANCELLED, NOT_GONE_ON_WITH, synced=synced)
        wanted = tuple(item for item in items if item.delivery.wish is not Wish.CANCEL)
        if wanted:
            await self._submit(submission, wanted, self._text_of(resumption, wanted), Mode.OWN)
        return bool(wanted)

    async def _submit(self, submission: str, items: tuple[LeasedDelivery, ...], text: str, mode: Mode) -> None:
        reached("leased")
        text += await self._claimed.attached.told([item.message for item in items])
        self._held.put(submission, items)
        await self._keep_from_others(items)
        try:
            with anyio.fail_after(SUBMIT_SECONDS):
                await self._state.submit(text, submission, mode)
        except ProviderError as error:
            if error.fault.whose is Whose.PROCESS:
                self._note(items)
            await self._refused(error, self._held.take([submission]))
            return
        except Exception as error:
            self._note(items)
            await self._notebook.write_steps()
            if isinstance(error, TimeoutError):
                raise SessionLostError(f"the provider did not take a text within {SUBMIT_SECONDS:.0f} s") from None
            raise
        reached("submitted")
        self._note(items)

    async def _keep_from_others(self, items: Sequence[LeasedDelivery]) -> None:
        """Record before the hand-over what another agent would be given if this one's relay died without a word."""
        if any(item.message.to.startswith("any:") for item in items):
            self._note(items)
            await self._notebook.write_steps()

    def _note(self, items: Sequence[LeasedDelivery]) -> None:
        """Note that the provider has the texts, or may have: one that dies or hangs by them had them."""
        for item in items:
            self._notebook.step(item.lease)

    def _text_of(self, resumption: Resumption, items: Sequence[LeasedDelivery]) -> str:
        if resumption.anew:
            return "".join(map(self._text, items))  # there is one
        return replies.go_on([item.message for item in items], quoted=resumption.quoted)

    def _text(self, item: LeasedDelivery) -> str:
        return replies.envelope(item.message) if self._capabilities.envelope else item.message.body
