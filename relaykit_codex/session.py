"""One session: a thread of one app-server."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING

import anyio
from anyio import ClosedResourceError

from relaykit.errors import ProviderError
from relaykit.model import (
    Decision,
    ErrorRaised,
    Fault,
    Mode,
    Occurrence,
    Outcome,
    ProviderNote,
    TurnEnded,
    TurnJoined,
    TurnStarted,
    Whose,
)
from relaykit.plugin import Channel
from relaykit.plugin.fields import rows, text
from relaykit.plugin.jsonlines import Skipped
from relaykit_codex.client import LOST, Client, Refused
from relaykit_codex.conversation import Conversation
from relaykit_codex.faults import agent_error, refusal
from relaykit_codex.history import list_threads, read_history
from relaykit_codex.items import kept
from relaykit_codex.protocol import Notification, ServerRequest
from relaykit_codex.tooluses import note_use

if TYPE_CHECKING:
    from collections.abc import Sequence

    from anyio.abc import TaskGroup

    from relaykit.model import PastSession, PastTurn
    from relaykit.plugin import Terminal, ToolUses
    from relaykit.plugin.fields import Fields
    from relaykit_codex.client import Told
    from relaykit_codex.unseen import UnseenThreads

_ORDER_SECONDS = 10.0
"""How long codex may take to interrupt a turn, or to end a command."""
_COMPACT_SECONDS = 300.0


class CodexSession:
    """A thread that takes text and tells what comes of it."""

    def __init__(
        self,
        client: Client,
        thread: str,
        *,
        tasks: TaskGroup,
        patience: float,
        unseen: UnseenThreads,
        terminal: Terminal,
        uses: ToolUses,
    ) -> None:
        self._client = client
        self._terminal = terminal
        self._uses = uses
        self._unseen: UnseenThreads = unseen
        self._tasks = tasks
        self._patience = patience
        self._conversation = Conversation(thread)
        self.events = Channel[Occurrence]()
        """What happens, in order."""
        self._changed: anyio.Event | None = None
        self._asking = anyio.Lock(fast_acquire=True)
        self._interrupted: str | None = None
        self._was_seen = False
        self._compacting = False

    @property
    def id(self) -> str:
        """The thread's id."""
        return self._conversation.thread

    @property
    def pid(self) -> int:
        """The app-server."""
        return self._client.pid

    async def submit(self, text: str, submission_id: str, mode: Mode) -> None:
        """Hand over text; return when codex took it."""
        params = {
            "threadId": self.id,
            "clientUserMessageId": submission_id,
            "input": [{"type": "text", "text": text, "text_elements": []}],
        }
        if mode is Mode.JOIN and await self._steer(params, submission_id):
            return
        await self._start_when_idle(params, submission_id)

    async def interrupt(self) -> None:
        """Ask the running turn to end, once: codex does not answer a second time."""
        async with self._asking:
            turn = await self._begun()
            if turn is None or turn == self._interrupted:
                return
            with suppress(Refused):  # it has ended in the meantime
                asked = {"threadId": self.id, "turnId": turn}
                await self._client.request("turn/interrupt", asked, timeout=_ORDER_SECONDS)
            self._interrupted = turn

    async def decide(self, key: str, decision: Decision, reason: str = "") -> None:  # noqa: ARG002 - codex takes none
        """Answer a question; one that is no longer open is passed over."""
        asked = self._conversation.answer(key)
        if asked is None:
            return
        self._client.answer(asked.request, asked.answers[decision])
        if decision is Decision.ABORT and not asked.aborts:
            await self.interrupt()

    async def history(self, session: str) -> Sequence[PastTurn] | None:
        """Return the turns of a thread, or None where it cannot be read; none where nothing came of it."""
        turns = await read_history(self._client, session)
        return () if turns is None and session in self._unseen else turns

    async def past_sessions(self, *, limit: int = 50) -> Sequence[PastSession]:
        """Return the threads that codex remembers, the latest first."""
        return await list_threads(self._client, limit)

    async def compact(self) -> None:
        """Have codex summarise what was said; after the running turn, if there is one."""
        self._conversation.compaction, self._compacting = None, True
        try:
            await self._client.ask("thread/compact/start", {"threadId": self.id})
            with anyio.move_on_after(_COMPACT_SECONDS):
                while not self._over_or_compacted():
                    await self._change().wait()
        finally:
            self._compacting = False
            self._wake()
        self._check_compacted()

    def terminal(self) -> Terminal:
        """Return how a person joins the thread."""
        return self._terminal

    def rejoin(self, turn: Fields) -> None:
        """Go on with a turn that runs already; told before anything that codex said since."""
        if turn:
            self._pass_on(self._conversation.rejoin(turn))

    def tell(self, message: Told) -> None:
        """Take what codex says; never waits."""
        match message:
            case Notification():
                note_use(self._uses, message, self.id)
                self._pass_on(self._conversation.told(message))
            case Skipped():
                self._pass_on(self._conversation.skipped(message))
            case ServerRequest():
                self._pass_on(self._asked(message))

    def died(self, fault: Fault) -> None:
        """End what is told, and what runs, unless it runs on in a codex that is only out of reach."""
        self._uses.drop()
        if fault.code != LOST:
            self._pass_on(self._conversation.cut(fault))
        self.events.close()
        self._wake()

    def close(self) -> None:
        """Tell nothing more: the session was left."""
        self.events.close()

    async def _steer(self, params: Fields, submission: str) -> bool:
        async with self._asking:
            turn = await self._begun()
            if turn is None:
                return False
            named: list[bool] = []
            try:
                await self._client.request(
                    "turn/steer",
                    {**params, "expectedTurnId": turn},
                    taken=lambda _: named.append(self._conversation.taken(turn, submission)),
                )
            except Refused as refused:
                error = refusal(refused.failure)
                if error.fault.whose is Whose.MESSAGE:
                    raise error from None
                return False  # the turn is over, or of a kind that nothing joins
            return all(named)

    async def _start_when_idle(self, params: Fields, submission: str) -> None:
        """Start a turn once none runs: to codex a second start is a steer."""
        give_up = anyio.current_time() + self._patience
        while True:
            async with self._asking:
                if self._conversation.running is None and not self._compacting:
                    return await self._start(params, submission)
                changed = self._change()
            with anyio.move_on_after(give_up - anyio.current_time()) as scope:
                await changed.wait()
            if scope.cancelled_caught:
                raise agent_error("busy", f"codex is busy with another turn for more than {self._patience:g} seconds")

    async def _start(self, params: Fields, submission: str) -> None:
        named: list[bool] = []
        self._conversation.starting(1)
        try:
            await self._client.ask(
                "turn/start",
                params,
                taken=lambda result: named.append(self._conversation.taken(text(result, "turn", "id"), submission)),
            )
        finally:
            self._conversation.starting(-1)
        if not all(named):
            raise agent_error("not_taken", "codex ended the turn before it took the message")

    async def _begun(self) -> str | None:
        """Return the running turn; one that codex has only promised refuses to be steered or interrupted."""
        with anyio.move_on_after(_ORDER_SECONDS):
            while self._conversation.turn is None and self._conversation.running is not None:
                await self._change().wait()
        return self._conversation.running

    def _asked(self, request: ServerRequest) -> Sequence[Occurrence]:
        occurrences = self._conversation.asked(request)
        if occurrences is not None:
            return occurrences
        self._client.refuse(request.id, f"relaykit does not answer {request.method}")
        return [ProviderNote(name="refused", data={"method": request.method, "params": kept(request.params)})]

    def _pass_on(self, occurrences: Sequence[Occurrence]) -> None:
        for occurrence in occurrences:
            with suppress(ClosedResourceError):  # nobody listens any more
                self.events.send(occurrence)
            if isinstance(occurrence, TurnJoined):
                self._note_seen()
            if isinstance(occurrence, TurnEnded):
                self._turn_ended(occurrence)
            if isinstance(occurrence, TurnStarted | TurnEnded):
                self._wake()

    def _note_seen(self) -> None:
        if not self._was_seen:
            self._was_seen = True
            self._unseen.seen(self.id)

    def _turn_ended(self, turn: TurnEnded) -> None:
        if turn.outcome is not Outcome.COMPLETED and turn.by == "provider":
            self._tasks.start_soon(self._end_commands, name="codex: end what a turn left running")

    async def _end_commands(self) -> None:
        """End the commands of a turn that was cut off: codex lets them run, and may not even have told of them."""
        try:
            asked = {"threadId": self.id}
            found = await self._client.request("thread/backgroundTerminals/list", asked, timeout=_ORDER_SECONDS)
            for terminal in rows(found, "data"):
                if not self._conversation.spares(text(terminal, "itemId")):
                    one = {**asked, "processId": text(terminal, "processId")}
                    await self._client.request("thread/backgroundTerminals/terminate", one, timeout=_ORDER_SECONDS)
        except (Refused, ProviderError) as error:
            fault = Fault(whose=Whose.TURN, code="left_running", message=f"a command may still be running: {error}")
            self._pass_on([ErrorRaised(fault=fault)])

    def _over_or_compacted(self) -> bool:
        return self._conversation.compaction is not None or self._client.over is not None

    def _check_compacted(self) -> None:
        if self._client.over:
            raise ProviderError(self._client.over)
        compaction = self._conversation.compaction
        if compaction is None:
            raise agent_error("timeout", f"codex did not compact within {_COMPACT_SECONDS:g} seconds")
        if compaction.fault:
            raise ProviderError(compaction.fault)
        if compaction.outcome is not Outcome.COMPLETED:
            raise ProviderError(Fault(whose=Whose.TURN, code="compact", message="the compaction was interrupted"))

    def _change(self) -> anyio.Event:
        """Return what the next change sets; made for who waits alone, for nearly nobody does."""
        self._changed = self._changed or anyio.Event()
        return self._changed

    def _wake(self) -> None:
        if self._changed is not None:
            self._changed.set()
            self._changed = None
