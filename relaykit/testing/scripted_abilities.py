"""The small abilities of the scripted session: each notes what was asked of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from relaykit.model import Decision

if TYPE_CHECKING:
    from relaykit.model import Reply


class SmallAbilities:
    """Takes replies, lets go of submissions, changes its model."""

    def __init__(self) -> None:
        self.replies: list[Reply] = []
        self.withdrawn: list[str] = []
        self.model = ""
        self.permission_mode = ""

    async def decide(self, key: str, decision: Decision, reason: str = "") -> None:
        """Take a decision."""
        raise NotImplementedError

    async def reply(self, key: str, reply: Reply, *, session: bool = False) -> None:
        """Note what was replied, and close the question."""
        self.replies.append(reply)
        await self.decide(key, Decision.APPROVE_FOR_SESSION if session else Decision.APPROVE)

    async def withdraw(self, submission_id: str) -> bool:
        """Let go of a submission."""
        self.withdrawn.append(submission_id)
        return True

    async def set_model(self, model: str) -> None:
        """Note the model."""
        self.model = model

    async def set_permission_mode(self, mode: str) -> None:
        """Note the mode."""
        self.permission_mode = mode
