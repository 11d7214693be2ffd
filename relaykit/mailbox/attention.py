"""What waits for whom: the one question that a relay asks after every ring."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from relaykit.mailbox.leases import NOT_ANOTHERS
from relaykit.mailbox.orders import WAITS
from relaykit.storage.audience import Audience, told

if TYPE_CHECKING:
    from collections.abc import Collection

    from relaykit.mailbox.transaction import Transaction
    from relaykit.plugin.mailbox import Waiting

_OWN = """EXISTS (SELECT 1 FROM delivery WHERE recipient = agent.id AND rank = {rank}
        AND ended_at IS NULL AND state = 'queued' AND held = 0)"""
_ANY = f"""EXISTS (SELECT 1 FROM pool JOIN delivery ON delivery.id = pool.delivery WHERE pool.agent = agent.id
        AND pool.rank IN ({{ranks}}) AND state = 'queued' AND held = 0 AND {NOT_ANOTHERS})"""
# Whoever is free takes what is for any of a group, so a now among it interrupts nobody: else it would interrupt them all.
_WAITING = f"""
SELECT agent.id, {_OWN.format(rank=0)},
    ({_OWN.format(rank=1)} OR {_ANY.format(ranks="1")}),
    ({_OWN.format(rank=2)} OR {_ANY.format(ranks="0, 2")}),
    EXISTS (SELECT 1 FROM command
        WHERE command.agent = agent.id AND {WAITS}),
    EXISTS (SELECT 1 FROM permission WHERE permission.agent = agent.id AND permission.epoch = agent.epoch
        AND applied = 0 AND state IN ('decided', 'expired')),
    EXISTS (SELECT 1 FROM delivery WHERE recipient = agent.id AND owner IS NOT NULL AND wish = 'cancel')
FROM json_each(?) AS asked JOIN agent ON agent.id = asked.value
"""


@told(Audience.NOBODY)
def waiting(tx: Transaction, agents: Collection[str]) -> dict[str, Waiting]:
    """Return what waits for each of the agents; those for whom nothing does are left out."""
    from relaykit.plugin.mailbox import Waiting  # noqa: PLC0415 - the plug-in machinery is nothing to a command line

    found = tx.rows(_WAITING, json.dumps(list(agents)))
    return {
        name: Waiting(
            now=bool(now),
            next=bool(next_),
            later=bool(later),
            commands=bool(commands),
            decisions=bool(decisions),
            wished=bool(wished),
        )
        for name, now, next_, later, commands, decisions, wished in found
        if now or next_ or later or commands or decisions or wished
    }
