"""A session's questions on their way to someone who decides, and the decisions on their way back."""

from __future__ import annotations

from collections.abc import Collection

from relaykit.errors import ClosedRequestError
from relaykit.model import Approval, Decision, PermissionClosed, PermissionRequest, Question, RequestState
from relaykit.plugin import AnswersPermissions, Session, TakesReplies
from relaykit.relay.delivering.claimed import ClaimedMailbox
from relaykit.relay.faultpoints import reached

_POLICY = {
    Approval.AUTO: Decision.APPROVE,
    Approval.READ_ONLY: Decision.DENY,
    Approval.DENY: Decision.DENY,
}


class PermissionDesk:
    """Makes durable requests of a session's questions, and tells it what was decided."""

    def __init__(self, approval: Approval, session: Session, claimed: ClaimedMailbox, expires_in: float) -> None:
        self._approval = approval
        self._session = session
        self._claimed = claimed
        self._expires_in = expires_in
        self.inherited: set[str] = set()
        """Keys of the open requests of a turn that outlived the last relay, until the session repeats them."""
        self._waiting: dict[str, str] = {}
        """The turns whose end ends the questions that are not answered yet, by the keys of these."""

    async def inherit(self, session: str, running: Collection[str]) -> None:
        """Keep the open requests of turns that run on, and withdraw those that nobody waits for any more."""
        found = await self._claimed.open_requests(session)
        kept = {one.question.key for one in found if one.question.turn in running}
        self.inherited |= kept
        gone = [one.question.key for one in found if one.question.key not in kept]
        await self._claimed.withdraw(session, gone, "the process that asked is gone")

    async def turn_ended(self, turn: str) -> None:
        """Withdraw what that turn still asked, and what the session was not heard to repeat."""
        over = self.inherited | {key for key, asking in self._waiting.items() if asking == turn}
        if over:
            await self._claimed.withdraw(self._session.id, over, "its turn is over")
        self.inherited = set()
        self._waiting = {key: asking for key, asking in self._waiting.items() if key not in over}

    async def take(self, question: Question) -> None:
        """Store a question; decide it at once where the agent's approval mode does."""
        request = await self._claimed.ask(self._session.id, question, self._expires_in)
        reached("asked")
        self.inherited.discard(request.question.key)
        if question.turn is not None:
            self._waiting[question.key] = question.turn
        if request.state is not RequestState.OPEN:
            await self.tell(request)  # it was decided while no relay was there to tell the session
            return
        decision = _POLICY.get(self._approval)
        if decision is None:
            return
        reason = ""
        if question.needs_answers:
            decision, reason = Decision.DENY, "nobody is here to answer; go on by your own judgement"
        try:
            by = f"approval mode {self._approval.value}"
            request = await self._claimed.decide(request.id, decision, by, reason)
        except ClosedRequestError:
            return  # someone was quicker; that decision comes by its own way
        await self.tell(request)

    async def tell(self, request: PermissionRequest) -> None:
        """Tell the session of a decision; a request that expired is denied."""
        self._waiting.pop(request.question.key, None)
        if request.session == self._session.id and isinstance(self._session, AnswersPermissions):
            await self._tell(self._session, request)
            reached("decided")
        await self._claimed.applied(request.id)

    async def _tell(self, session: AnswersPermissions, request: PermissionRequest) -> None:
        decision, key = request.decision or Decision.DENY, request.question.key
        if request.reply is not None and isinstance(session, TakesReplies):
            await session.reply(key, request.reply, session=decision is Decision.APPROVE_FOR_SESSION)
        else:
            await session.decide(key, decision, request.reason)

    async def close(self, closed: PermissionClosed) -> None:
        """The session no longer waits for an answer."""
        self._waiting.pop(closed.key, None)
        if closed.withdrawn:
            await self._claimed.withdraw(self._session.id, [closed.key], "the provider no longer asks")
