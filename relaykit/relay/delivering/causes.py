"""What began the turns that nobody asked for: so that what they say reaches whoever asked for the work."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence
from uuid import NAMESPACE_OID, uuid5

from relaykit.model import LeasedDelivery, Outcome
from relaykit.relay.delivering.claimed import ClaimedMailbox
from relaykit.relay.delivering.turns import EndedTurn

_REMEMBERED = 1000
"""Turns and submissions: work in the background goes on while others come and go, but not for ever."""


class Causes:
    """The delivery behind each turn of one session, and the notes that follow up on it.

    It lives as long as the session's process, as background work does.
    """

    def __init__(self, claimed: ClaimedMailbox, session: str) -> None:
        self._claimed = claimed
        self._session = session
        self._deliveries: OrderedDict[str, int] = OrderedDict()

    async def note(self, turn: EndedTurn, items: Sequence[LeasedDelivery]) -> None:
        """Remember what a turn was about; where nobody asked for it, put what it said into the thread of its cause."""
        asked = next((item.delivery.id for item in items if item.reply_to), None)
        cause = self._deliveries.get(turn.cause or "") if asked is None and not turn.submissions else asked
        if cause is None:
            return
        self._remember(turn, cause)
        if asked is None and turn.outcome is Outcome.COMPLETED and turn.text:
            # One turn makes one note, however often its end is told.
            name = str(uuid5(NAMESPACE_OID, f"{self._claimed.agent} {self._session} {turn.id}"))
            await self._claimed.follow_up(cause, name, turn.text)

    def _remember(self, turn: EndedTurn, delivery: int) -> None:
        for name in (turn.id, *turn.submissions):
            self._deliveries[name] = delivery
        while len(self._deliveries) > _REMEMBERED:
            self._deliveries.popitem(last=False)
