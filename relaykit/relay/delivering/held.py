"""What one worker has handed over and not settled."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable

from msgspec import Struct
from msgspec.structs import replace

from relaykit.model import LeasedDelivery, Wish


class Resumption(Struct, frozen=True):
    """Deliveries to hand over again in one submission, before anything new is leased."""

    items: tuple[LeasedDelivery, ...]
    note: str
    anew: bool
    """As if it were new; else the session is to go on with them."""
    quoted: bool = False


class Held:
    """Deliveries by the submission that they were handed over under; a continued turn may carry several."""

    def __init__(self) -> None:
        self._items: dict[str, tuple[LeasedDelivery, ...]] = {}
        self.resumptions: deque[Resumption] = deque()
        """What is under no submission now: it waits to be handed over again."""

    def __bool__(self) -> bool:
        return bool(self._items)

    def put(self, submission: str, items: tuple[LeasedDelivery, ...]) -> None:
        """Hold deliveries under a submission."""
        self._items[submission] = items

    def of(self, submissions: Iterable[str]) -> list[LeasedDelivery]:
        """Return what is held under the submissions."""
        return [item for submission in submissions for item in self._items.get(submission, ())]

    def all(self) -> list[LeasedDelivery]:
        """Return all that is held."""
        return self.of(list(self._items))

    def take(self, submissions: Iterable[str]) -> list[LeasedDelivery]:
        """Return what is held under the submissions, and hold it no longer."""
        return [item for submission in submissions for item in self._items.pop(submission, ())]

    def refresh(self, fresh: LeasedDelivery) -> None:
        """Replace a delivery by what the mailbox says of it now."""
        for submission, items in self._items.items():
            self._items[submission] = tuple(fresh if item.delivery.id == fresh.delivery.id else item for item in items)

    def drop(self, deliveries: Iterable[int]) -> None:
        """Hand these over no more: they have ended while they waited to be gone on with."""
        gone = set(deliveries)
        left = [(one, tuple(item for item in one.items if item.delivery.id not in gone)) for one in self.resumptions]
        self.resumptions = deque(replace(one, items=items) for one, items in left if items)

    def wished(self, wish: Wish) -> set[str]:
        """Return the submissions of which all that is held has that wish."""
        return {name for name, items in self._items.items() if all(item.delivery.wish is wish for item in items)}

    def note_wish(self, item: LeasedDelivery, wish: Wish) -> None:
        """Note a wish that was recorded."""
        self.refresh(replace(item, delivery=replace(item.delivery, wish=wish.over(item.delivery.wish))))
