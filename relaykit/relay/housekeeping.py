"""Ends what has expired and sweeps out what is old, in small batches between other people's work."""

from __future__ import annotations

from contextlib import suppress

from relaykit.config.records import Retention
from relaykit.errors import StoreError
from relaykit.plugin import Clock, Mailbox, SessionStore

_DAY = 86400.0
_LONGEST_SECONDS = 30.0
"""The wall clock may jump: expiries are looked at this often, whatever it says."""
_SWEEP_SECONDS = 600.0


async def expire(mailbox: Mailbox, clock: Clock) -> None:
    """End messages and permission requests whose time is over, for ever."""
    while True:
        try:
            following = await mailbox.tick()
        except StoreError:
            following = None  # workers report the store; the next look makes good
        wait = _LONGEST_SECONDS if following is None else following - clock.now()
        await clock.sleep(min(max(wait, 0.05), _LONGEST_SECONDS))


async def sweep(mailbox: Mailbox, sessions: SessionStore, clock: Clock, retention: Retention) -> None:
    """Remove what is older than its retention, for ever."""
    while True:
        with suppress(StoreError):  # nothing is owed to anyone; the next round tries again
            await _sweep_all(mailbox, sessions, clock.now(), retention)
        await clock.sleep(_SWEEP_SECONDS)


async def sweep_mailbox(mailbox: Mailbox, clock: Clock, retention: Retention) -> None:
    """Do so with a mailbox alone, for ever."""
    while True:
        with suppress(StoreError):  # as above
            await _sweep_letters(mailbox, clock.now(), retention)
        await clock.sleep(_SWEEP_SECONDS)


async def _sweep_all(mailbox: Mailbox, sessions: SessionStore, now: float, retention: Retention) -> None:
    await _sweep_letters(mailbox, now, retention)
    while await sessions.sweep(before=now - retention.events_days * _DAY, max_bytes=retention.events_bytes):
        pass


async def _sweep_letters(mailbox: Mailbox, now: float, retention: Retention) -> None:
    while await mailbox.sweep(
        settled_before=now - retention.settled_days * _DAY, keys_before=now - retention.keys_days * _DAY
    ):
        pass
