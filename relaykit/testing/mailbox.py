"""What every mailbox promises, as tests: subclass ``MailboxSuite`` and say how yours is opened."""

from __future__ import annotations

from relaykit.testing import mailbox_agents as agents
from relaykit.testing import mailbox_chain as chain
from relaykit.testing import mailbox_conversing as conversing
from relaykit.testing import mailbox_inboxes as inboxes
from relaykit.testing import mailbox_leases as leases
from relaykit.testing import mailbox_letters as letters
from relaykit.testing import mailbox_orders as orders
from relaykit.testing import mailbox_queueing as queueing
from relaykit.testing import mailbox_recall as recall
from relaykit.testing import mailbox_retention as retention

__all__ = ["MailboxSuite"]


class MailboxSuite(
    letters.Putting,
    letters.Priorities,
    letters.Groups,
    letters.Looking,
    recall.Cancelling,
    recall.Requeuing,
    recall.Expiring,
    queueing.Editing,
    queueing.Moving,
    chain.Causes,
    chain.Waits,
    chain.Threads,
    chain.FollowUps,
    conversing.Answering,
    conversing.Reading,
    conversing.Tasks,
    inboxes.Inboxes,
    leases.Leasing,
    leases.Handling,
    leases.Settling,
    leases.Outgoing,
    agents.Claims,
    agents.Descriptions,
    agents.Relays,
    orders.Orders,
    orders.Permissions,
    orders.Watching,
    retention.Retention,
):
    """Every promise of a mailbox, each a test, on asyncio and on trio.

    A subclass defines ``open``::

        class TestMine(MailboxSuite):
            def open(self, directory, clock, limits):
                return my_mailbox(directory, clock=clock, limits=limits, routers=[AddressRouter()])
    """
