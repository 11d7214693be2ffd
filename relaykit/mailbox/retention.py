"""What time does: ends what has expired, removes what has ended long ago."""

from __future__ import annotations

from typing import TYPE_CHECKING

from relaykit.mailbox.ends import end, under_way
from relaykit.mailbox.letters import digest
from relaykit.mailbox.orders import WAITS, close_late
from relaykit.mailbox.permissions import expire_requests
from relaykit.model import State
from relaykit.storage.space import give_back

if TYPE_CHECKING:
    from relaykit.mailbox.transaction import Transaction

_AT_ONCE = 500
_PAGES = 4096
"""Free pages given back with each batch, 16 MiB: how long the writer is held up depends on it."""
# What came for any of a group is its taker's, who may never have had a queue of its own.
_RECIPIENTS = "SELECT recipient FROM queue UNION SELECT id FROM agent"
# An answer climbs from what is under way to whoever asked first, and every delivery on that way tells where to go on.
_CAUSES = f"""
WITH RECURSIVE cause (id) AS (
    SELECT message.cause FROM ({_RECIPIENTS}) AS known
        CROSS JOIN delivery ON delivery.recipient = known.recipient AND ended_at IS NULL
        CROSS JOIN message ON message.number = delivery.message WHERE message.cause IS NOT NULL
    UNION SELECT message.cause FROM cause CROSS JOIN delivery ON delivery.id = cause.id
        CROSS JOIN message ON message.number = delivery.message WHERE message.cause IS NOT NULL
) SELECT id FROM cause
"""
_OLD = f"""
SELECT delivery.id, delivery.message FROM ({_RECIPIENTS}) AS known
    CROSS JOIN delivery ON delivery.recipient = known.recipient
    WHERE ended_at IS NOT NULL AND ended_at < ? AND delivery.id NOT IN ({_CAUSES}) LIMIT ?
"""


def tick(tx: Transaction) -> float | None:
    """End what has expired, so many at once; return wall-clock seconds of the next expiry, if any."""
    late = "delivery.expires_at <= ? AND delivery.expires_at IS NOT NULL AND state = 'queued' LIMIT ?"
    for head in under_way(tx, late, tx.now, _AT_ONCE):
        end(tx, head, State.EXPIRED, "its time was over before it was its turn")
    expire_requests(tx)
    close_late(tx)
    tx.write("DELETE FROM wait WHERE until <= ?", tx.now)
    next_expiry: float | None = tx.row(
        "SELECT min(at) FROM ("
        "SELECT min(expires_at) AS at FROM delivery WHERE expires_at IS NOT NULL AND state = 'queued' "
        "UNION ALL SELECT min(expires_at) FROM permission WHERE state = 'open' "
        f"UNION ALL SELECT min(take_by) FROM command WHERE {WAITS})"
    )[0]
    return next_expiry


def sweep(tx: Transaction, *, settled_before: float, keys_before: float, limit: int = 500) -> int:
    """Remove at most so many deliveries that ended before, keep their messages' ids as tombstones; return how many.

    What led to something that is under way stays as long as that.
    """
    found = tx.rows(_OLD, settled_before, limit)
    tx.write_many("DELETE FROM delivery WHERE id = ?", [(delivery,) for delivery, _ in found])
    for number in {message for _, message in found}:
        _bury(tx, number)
    for table, condition in _CLOSED:
        tx.write(
            f"DELETE FROM {table} WHERE number IN (SELECT number FROM {table} WHERE {condition} LIMIT ?)",
            settled_before,
            limit,
        )
    tx.write(
        "DELETE FROM tombstone WHERE (id, account) IN "
        "(SELECT id, account FROM tombstone WHERE created_at < ? ORDER BY created_at LIMIT ?)",
        keys_before,
        limit,
    )
    give_back(tx.connection, _PAGES)
    return len(found)


_CLOSED = (
    ("command", "state IN ('succeeded', 'failed') AND created_at < ?"),
    ("permission", "state <> 'open' AND asked_at < ?"),
)


def _bury(tx: Transaction, number: int) -> None:
    """Remove a message whose deliveries are all gone."""
    if tx.row("SELECT 1 FROM delivery WHERE message = ?", number):
        return
    name, account, sender, to, body, created_at, answered = tx.row(
        "DELETE FROM message WHERE number = ? RETURNING id, account, sender, address, body, created_at, in_reply_to",
        number,
    )
    tx.write(
        "INSERT OR REPLACE INTO tombstone VALUES (?, ?, ?, ?)", name, account, digest(sender, to, body), created_at
    )
    if answered:
        tx.write_many(
            "DELETE FROM answer WHERE answered = ? AND message = ?", [(one, number) for one in answered.split("\n")]
        )
