"""A session's questions on their way to someone who decides, and the decisions on their way back."""

from __future__ import annotations

from relaykit.errors import ClosedRequestError
from relaykit.model import Approval, Decision, PermissionClosed, PermissionRequest, Question
from relaykit.plugin import AnswersPermissions, Session
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

    async def take(self, question: Question) -> None:
        """Store a question; decide it at once where the agent's approval mode does."""
        request = await self._claimed.ask(self._session.id, question, self._expires_in)
        reached("asked")
        decision = _POLICY.get(self._approval)
        if decision is None:
            return
        try:
            request = await self._claimed.decide(request.id, decision, f"approval mode {self._approval.value}")
        except ClosedRequestError:
            return  # someone was quicker; that decision comes by its own way
        await self.tell(request)

    async def tell(self, request: PermissionRequest) -> None:
        """Tell the session of a decision; a request that expired is denied."""
        if request.session == self._session.id and isinstance(self._session, AnswersPermissions):
            decision = request.decision or Decision.DENY
            await self._session.decide(request.question.key, decision, request.reason)
            reached("decided")
        await self._claimed.applied(request.id)

    async def close(self, closed: PermissionClosed) -> None:
        """The session no longer waits for an answer."""
        if closed.withdrawn:
            await self._claimed.withdraw(self._session.id, [closed.key], "the provider no longer asks")
