"""What relays that have stopped or died held, and no agent's lock protects."""

from __future__ import annotations

from typing import TYPE_CHECKING

from relaykit.mailbox import heads, rows
from relaykit.mailbox.ends import end
from relaykit.mailbox.tasks import free_claims
from relaykit.model import State, begun_before

if TYPE_CHECKING:
    from collections.abc import Sequence

    from relaykit.mailbox.transaction import Transaction


def leave(tx: Transaction, incarnation: str) -> None:
    """Take a relay out that has stopped in good order."""
    tx.write("DELETE FROM relay WHERE incarnation = ?", incarnation)
    _free(tx, "the relay stopped", "owner = ?", incarnation)
    free_claims(tx, float("-inf"))


def release_stale(tx: Transaction, boot: str, before: float, dead: Sequence[str] = ()) -> int:
    """Free what dead relays leased for ``any:`` and did not hand over, or leased for the outside; return how many.

    Relays of another boot are taken out as well: nothing of them runs. Those that are known to be ``dead`` stay, with a
    beat that is too old: what their agents did last is theirs.
    """
    tx.write("DELETE FROM relay WHERE boot <> ?", boot)
    for incarnation in dead:
        tx.write("UPDATE relay SET beat = min(beat, ?) WHERE incarnation = ?", before - 1, incarnation)
    free_claims(tx, before)
    return _free(tx, "its relay died", "owner NOT IN (SELECT incarnation FROM relay WHERE beat >= ?)", before)


def _free(tx: Transaction, why: str, condition: str, *values: object) -> int:
    """Queue again what no agent's lock protects: deliveries to the outside, and to any of a group while unseen.

    A delivery to the outside may have been sent, so it may be sent twice: that is what transports promise. One that was
    to be cancelled ends.
    """
    freed = _unprotected(tx, condition, *values)
    if not freed:
        return 0
    for delivery in freed:
        row = tx.row(f"SELECT {heads.HEAD} {rows.JOINED} WHERE delivery.id = ? AND wish = 'cancel'", delivery)
        if row is not None:
            end(tx, heads.head(row), State.CANCELLED, f"cancelled; {why} before it said what had become of it")
    marks = ", ".join("?" * len(freed))
    tx.write(
        "UPDATE delivery SET state = 'queued', reason = ?, owner = NULL, epoch = NULL, wish = NULL, steps = steps || ?, "
        "recipient = coalesce((SELECT address FROM message WHERE number = message AND address LIKE 'any:%'), recipient) "
        f"WHERE owner IS NOT NULL AND id IN ({marks})",
        why,
        rows.step(State.QUEUED, tx.now, why),
        *freed,
    )
    return len(freed)


def _unprotected(tx: Transaction, condition: str, *values: object) -> list[int]:
    """Return the deliveries that are free; not what a session is to go on with, which another would begin as new."""
    # All that is under a lease is under way: to ask for that, too, would have SQLite walk through what is queued.
    found = tx.rows(
        "SELECT id, epoch, steps FROM delivery WHERE owner IS NOT NULL AND state = 'leased' "
        f"AND (epoch = 0 OR id IN (SELECT delivery FROM pool)) AND {condition}",
        *values,
    )
    return [delivery for delivery, epoch, steps in found if epoch == 0 or not begun_before(rows.steps(steps))]
