"""Running the dock: stores, feed, listener, in this order; leaving goes backwards."""

from __future__ import annotations

import json
import resource
import signal
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from typing import TYPE_CHECKING

import anyio
from msgspec import Struct

from relaykit.errors import StoreError
from relaykit.plugin import Site
from relaykit_signaldock.beside import beside
from relaykit_signaldock.dock import people
from relaykit_signaldock.dock.attachments import most_body
from relaykit_signaldock.dock.dock import Dock, Settings
from relaykit_signaldock.dock.endpoints import Reach
from relaykit_signaldock.dock.envelope import refusal
from relaykit_signaldock.dock.feed import Feed
from relaykit_signaldock.dock.presence import Presence
from relaykit_signaldock.dock.rates import Limited, Rates
from relaykit_signaldock.dock.remembering import RememberingStore
from relaykit_signaldock.dock.routes import application, is_open, stream_token
from relaykit_signaldock.dock.routing import ConversationRouter
from relaykit_signaldock.dock.sqlite_store import open_store
from relaykit_signaldock.dock.syncing import Syncer
from relaykit_signaldock.dock.webhooks import Webhooks, webhook_client

if TYPE_CHECKING:
    from relaykit.plugin import Lent, Tls

_CONNECTIONS = 4096
_REST_SECONDS = 30.0
_CTRL_C = 130


class Plan(Struct, frozen=True, kw_only=True):
    """What is to be served, where and how."""

    listen: str
    settings: Settings
    per_minute: int = 100
    """Requests of an agent; 0 is no limit."""
    names: tuple[str, ...] = ()
    tls: Tls | None = None


def serve(plan: Plan, lent: Lent, *, json_lines: bool) -> int:
    """Serve until a signal; return the exit code."""
    return anyio.run(_until_signal, plan, lent, json_lines)


async def _until_signal(plan: Plan, lent: Lent, json_lines: bool) -> int:
    _make_room()
    with anyio.open_signal_receiver(signal.SIGINT, signal.SIGTERM) as signals:
        async with running(plan, lent) as url:
            line = json.dumps({"event": "ready", "url": url}) if json_lines else f"dock {url}"
            sys.stdout.write(line + "\n")
            sys.stdout.flush()
            async for number in signals:
                return _CTRL_C if number == signal.SIGINT else 0
    return 0


def _make_room() -> None:
    """Take as many file descriptors as this process may have: every stream is one."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))


@asynccontextmanager
async def running(plan: Plan, lent: Lent) -> AsyncIterator[str]:
    """Run a dock while the context is open; yield its address.

    Raises:
        ConfigError: It cannot listen there.
        StoreError: A store cannot be used.
    """
    router = ConversationRouter()
    with open_store(lent.home, RememberingStore) as store:
        async with lent.mailbox(router) as mailbox, webhook_client() as http, beside() as tasks:
            syncer = Syncer(store.sync)
            feed = Feed(mailbox, store, lent.clock, lent.report)
            reach = plan.settings.webhooks
            webhooks = Webhooks(mailbox, store, lent.clock, feed, http, reach=reach, report=lent.report)
            dock = Dock(
                mailbox=mailbox,
                store=store,
                syncer=syncer,
                attachments=lent.attachments,
                clock=lent.clock,
                feed=feed,
                presence=Presence(mailbox, store, lent.clock),
                webhooks=webhooks,
                router=router,
                settings=plan.settings,
                rates=Rates(plan.per_minute, lent.clock.boot),
                person_token=lent.person_token(),
            )
            await people.agree(dock)
            arrived, _ = await mailbox.arrived(None, ())
            tasks.start_soon(feed.run, arrived, name="dock: feed")
            tasks.start_soon(syncer.run, name="dock: sync")
            if reach is not Reach.OFF:
                tasks.start_soon(webhooks.listen, name="dock: webhooks, what comes")
                tasks.start_soon(webhooks.run, name="dock: webhooks")
            tasks.start_soon(_rest, dock, lent, name="dock: presence")
            async with lent.serve(_site(dock, plan), plan.listen, tls=plan.tls) as url:
                with _streams_ended(feed):
                    yield url


def _site(dock: Dock, plan: Plan) -> Site:
    app = Limited(application(dock), dock.rates, dock.clock.now)
    return Site(
        app=app,
        authenticate=dock.authenticate,
        refusal=refusal,
        slowed=app,
        is_open=is_open,
        most_body=most_body,
        takes_token=stream_token,
        names=plan.names,
        connections=_CONNECTIONS,
    )


@contextmanager
def _streams_ended(feed: Feed) -> Iterator[None]:
    """End the streams before the listener waits for its connections."""
    try:
        yield
    finally:
        feed.close()


async def _rest(dock: Dock, lent: Lent) -> None:
    """Put those down as offline that are silent, for ever."""
    while True:
        try:
            await dock.presence.rest()
        except StoreError as error:
            lent.report(f"how agents are cannot be noted: {error}")
        await lent.clock.sleep(_REST_SECONDS)
