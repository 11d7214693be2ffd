"""One session: a conversation that one claude carries."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING

import anyio
from anyio import ClosedResourceError
from msgspec.structs import replace

from relaykit.errors import ProviderError
from relaykit.model import (
    BlockEnded,
    BlockKind,
    Decision,
    ErrorRaised,
    Fault,
    Mode,
    Occurrence,
    Outcome,
    PermissionClosed,
    ProviderNote,
    Reply,
    TurnEnded,
    TurnJoined,
    Whose,
    new_id,
)
from relaykit.plugin import Channel
from relaykit.plugin.jsonlines import Skipped
from relaykit_claude.approvals import answer
from relaykit_claude.client import Client, Refused
from relaykit_claude.conversation import Conversation
from relaykit_claude.faults import agent_error
from relaykit_claude.protocol import Asked, Told, Withdrawn
from relaykit_claude.terminal import Overrides

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from relaykit.model import Block, PastSession, PastTurn
    from relaykit.plugin import Terminal
    from relaykit.plugin.fields import Fields
    from relaykit_claude.client import Heard
    from relaykit_claude.locking import SessionLocks
    from relaykit_claude.transcripts import Transcripts

_ORDER_SECONDS = 10.0
"""How long claude may take to interrupt a turn, or to let go of a message."""
_COMPACT_SECONDS = 300.0
_PRIORITIES = {Mode.OWN: "later", Mode.JOIN: "next"}
"""Claude's words for how a message meets a running turn. Its ``now`` is not used: it ends a turn as if all were well."""


class ClaudeSession:
    """A conversation that takes text and tells what comes of it."""

    def __init__(
        self,
        client: Client,
        session: str,
        *,
        resumed: bool,
        locks: SessionLocks,
        transcripts: Transcripts,
        patience: float,
        modes: Sequence[str],
        terminal: Callable[[str, Overrides], Terminal],
    ) -> None:
        self._client = client
        self._modes = modes
        self._terminal = terminal
        self._overrides = Overrides()
        self._locks = locks
        self._transcripts = transcripts
        self._patience = patience
        self._conversation = Conversation(session, resumed=resumed)
        self._held = session
        self.events = Channel[Occurrence]()
        """What happens, in order."""
        self._changed: anyio.Event | None = None
        self._sending = anyio.Lock(fast_acquire=True)
        self._written = False
        self._compacting: str | None = None
        self._compacted: TurnEnded | None = None

    @property
    def id(self) -> str:
        """The conversation's id; another one after ``/clear``."""
        return self._conversation.session

    @property
    def pid(self) -> int:
        """The claude that carries it."""
        return self._client.pid

    @property
    def model(self) -> str | None:
        """The model, as claude said last."""
        return self._conversation.model

    async def submit(self, text: str, submission_id: str, mode: Mode) -> None:
        """Hand over text; return when claude took it."""
        async with self._sending:
            if mode is Mode.OWN:
                await self._until_idle()  # claude makes one turn of all that waits
            self._send(text, submission_id, mode)
            await self._until(lambda: self._conversation.taken(submission_id))

    def terminal(self) -> Terminal:
        """Return the program that a person goes on with, in the place of this claude."""
        return self._terminal(self.id, self._overrides)

    async def withdraw(self, submission_id: str) -> bool:
        """Have claude let go of a message that it has not begun with; return whether it did."""
        asked = {"message_uuid": submission_id}
        self._conversation.withdrawing.add(submission_id)
        try:
            answered = await self._client.request("cancel_async_message", asked, timeout=_ORDER_SECONDS)
            return answered.get("cancelled") is True
        except Refused:
            return False
        finally:
            self._conversation.withdrawing.discard(submission_id)

    async def interrupt(self) -> None:
        """Ask the running turn to end, if there is one."""
        if self._conversation.turn is not None:
            with suppress(Refused):  # it has ended in the meantime
                await self._client.request("interrupt", timeout=_ORDER_SECONDS)

    async def decide(self, key: str, decision: Decision, reason: str = "") -> None:
        """Answer a question; one that is no longer open is passed over."""
        self._answer(key, decision, reason, None)

    async def reply(self, key: str, reply: Reply, *, session: bool = False) -> None:
        """Approve with answers, or with another input; one that is no longer open is passed over."""
        self._answer(key, Decision.APPROVE_FOR_SESSION if session else Decision.APPROVE, "", reply)

    async def set_model(self, model: str) -> None:
        """Go on with another model from the next step on."""
        await self._ask("set_model", {"model": model})
        self._conversation.model = model
        self._overrides = replace(self._overrides, model=model)

    async def set_permission_mode(self, mode: str) -> None:
        """Go on in another of Claude's own permission modes, but in none that asks for nothing."""
        if mode not in self._modes:
            raise agent_error(
                "mode", f"{mode!r} is no permission mode of this agent; it can be {', '.join(self._modes)}"
            )
        await self._ask("set_permission_mode", {"mode": mode})
        self._overrides = replace(self._overrides, permission_mode=mode)

    async def history(self, session: str) -> Sequence[PastTurn] | None:
        """Return the turns of a conversation, or None where it cannot be read."""
        return await self._transcripts.turns(session)

    async def conversation(self, session: str) -> Sequence[Block] | None:
        """Return the blocks of a conversation, its subagents' too, or None where it cannot be read."""
        return await self._transcripts.blocks(session)

    async def past_sessions(self, *, limit: int = 50) -> Sequence[PastSession]:
        """Return the conversations that claude remembers, the latest first."""
        return await self._transcripts.sessions(limit)

    async def compact(self) -> None:
        """Have claude summarise what was said; after the running turn, if there is one."""
        name = self._compacting = new_id()
        self._compacted = None
        self._conversation.commands.add(name)
        try:
            with anyio.move_on_after(_COMPACT_SECONDS):
                await self.submit("/compact", name, Mode.OWN)
                await self._until(lambda: self._compacted is not None)
        finally:
            self._compacting = None
        self._check_compacted()

    def began(self, note: ProviderNote) -> None:
        """Tell of the session's start, before anything that claude said."""
        self._pass_on([note])

    def tell(self, message: Heard) -> None:
        """Take what claude says; never waits."""
        match message:
            case Told():
                self._pass_on([*self._conversation.told(message), *self._hold()])
            case Withdrawn():
                self._pass_on(self._conversation.withdrawn(message.id))
            case Skipped():
                self._pass_on(self._conversation.skipped(message))
            case Asked():
                self._pass_on(self._asked(message))
        self._wake()

    def died(self, fault: Fault) -> None:
        """End what runs, and what is told: the process is gone."""
        self._pass_on(self._conversation.cut(fault))
        self.events.close()
        self._wake()

    def close(self) -> None:
        """Tell nothing more: the session was left."""
        self.events.close()

    def _send(self, text: str, submission: str, mode: Mode) -> None:
        self._client.say(text, submission, _PRIORITIES[mode])
        self._conversation.sent(submission)

    def _answer(self, key: str, decision: Decision, reason: str, reply: Reply | None) -> None:
        found = self._conversation.answer(key)
        if found is not None:
            self._client.answer(found.request, answer(found, decision, reason, reply))
            self._pass_on([PermissionClosed(key=key)])

    def _hold(self) -> Sequence[Occurrence]:
        """Hold the conversation that claude has gone on to; return the fault where another process has it."""
        if self.id == self._held:
            return []
        self._held = self.id
        try:
            self._locks.hold(self.id)
        except ProviderError as error:
            return [ErrorRaised(fault=error.fault)]
        return []

    def _asked(self, asked: Asked) -> Sequence[Occurrence]:
        occurrences = self._conversation.asked(asked)
        if occurrences is not None:
            return occurrences
        self._client.refuse(asked.id, f"relaykit does not answer {asked.subtype}")
        return [ProviderNote(name="refused", data={"request": asked.subtype})]

    def _pass_on(self, occurrences: Sequence[Occurrence]) -> None:
        for occurrence in occurrences:
            with suppress(ClosedResourceError):  # nobody listens any more
                self.events.send(occurrence)
            self._note(occurrence)
            if isinstance(occurrence, TurnEnded) and occurrence.turn == self._compacting:
                self._compacted = occurrence

    def _note(self, occurrence: Occurrence) -> None:
        """Keep what a claude that is killed now might not have written down."""
        turn = self._conversation.turn
        if isinstance(occurrence, TurnEnded):
            self._written = self._written or self._transcripts.written(self.id)
        uses = isinstance(occurrence, BlockEnded) and occurrence.block.kind is BlockKind.TOOL_USE
        joins = isinstance(occurrence, TurnJoined) and turn is not None and bool(turn.tools)
        if turn is not None and (joins or (uses and len(turn.tools) == 1)):
            self._transcripts.worked(self.id, turn.submissions)

    async def _ask(self, subtype: str, more: Fields) -> None:
        try:
            await self._client.request(subtype, more)
        except Refused as refused:
            raise agent_error("refused", f"claude refused {subtype}: {refused}") from None

    async def _until_idle(self) -> None:
        if not self._conversation.busy:
            return
        with anyio.move_on_after(self._patience) as scope:
            await self._until(lambda: not self._conversation.busy)
        if scope.cancelled_caught:
            raise agent_error("busy", f"claude is busy with another turn for more than {self._patience:g} seconds")

    async def _until(self, holds: Callable[[], bool]) -> None:
        while not holds():
            if self._client.over:
                raise ProviderError(self._client.over)
            await self._change().wait()
        if self._client.over:
            raise ProviderError(self._client.over)

    def _check_compacted(self) -> None:
        if self._compacted is None:
            raise agent_error("timeout", f"claude did not compact within {_COMPACT_SECONDS:g} seconds")
        if self._compacted.fault:
            raise ProviderError(self._compacted.fault)
        why = self._conversation.compact_error
        if why or self._compacted.outcome is not Outcome.COMPLETED:
            why = why or "the compaction was interrupted"
            raise ProviderError(Fault(whose=Whose.TURN, code="compact", message=f"claude could not compact: {why}"))

    def _change(self) -> anyio.Event:
        """Return what the next change sets; made for who waits alone, for nearly nobody does."""
        self._changed = self._changed or anyio.Event()
        return self._changed

    def _wake(self) -> None:
        if self._changed is not None:
            self._changed.set()
            self._changed = None
