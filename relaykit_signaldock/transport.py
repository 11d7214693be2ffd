"""The transport: all its services over one client, started in order and stopped backwards."""

from __future__ import annotations

import logging
import re
from collections.abc import AsyncGenerator, AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import httpx

from relaykit.errors import CredentialError, TransportError
from relaykit_signaldock.account import Account, find_account
from relaykit_signaldock.attaching import Files
from relaykit_signaldock.beside import beside
from relaykit_signaldock.client import Client, Request
from relaykit_signaldock.failures import SignedOutError
from relaykit_signaldock.heartbeat import Heartbeat
from relaykit_signaldock.keys import Keys
from relaykit_signaldock.options import Options
from relaykit_signaldock.poller import Poller
from relaykit_signaldock.receiving import Receiver
from relaykit_signaldock.reporter import Reporter
from relaykit_signaldock.rotation import Rotation
from relaykit_signaldock.sending import Sender
from relaykit_signaldock.shared import Shared
from relaykit_signaldock.state import open_state
from relaykit_signaldock.stream import Stream

if TYPE_CHECKING:
    from relaykit.model import Attachment, Message
    from relaykit.plugin import Context, Receipt

_TOKEN = re.compile(r"([?&]token=)[^&\s\"]+")


class SignalDock:
    """Carries messages to and from the agents of one server."""

    def __init__(self, sender: Sender, files: Files) -> None:
        self._sender = sender
        self._files = files

    def reaches(self, recipient: str) -> bool:
        """Whether that is somebody at the server."""
        return self._sender.reaches(recipient)

    async def send(self, message: Message, recipient: str) -> Receipt:
        """Return once the server took the message."""
        return await self._sender.send(message, recipient)

    def fetch(self, attachment: Attachment) -> AsyncGenerator[bytes, None]:
        """Yield the content of a file that a message named."""
        return self._files.fetch(attachment)


@asynccontextmanager
async def open_signaldock(options: Mapping[str, Any], context: Context) -> AsyncIterator[SignalDock]:
    """Open the transport.

    Raises:
        CredentialError: There is no key, or the server refuses it.
        ConfigError: Nothing says who to sign in as, or where.
    """
    read = Options.read(options)
    account, credential = await find_account(read, context)
    reporter = Reporter(lambda text: context.report(f"{context.name}: {text}"))
    keys = Keys(credential, context.clock, read.key_overlap_seconds)
    _keep_tokens_out_of_logs()
    async with _http(account, read) as http:
        timeout = read.timeout_seconds
        client = Client(http, account, keys, clock=context.clock, timeout=timeout, reporter=reporter)
        with open_state(context.home / "signaldock.db") as state:
            shared = Shared(
                context=context,
                options=read,
                account=account,
                keys=keys,
                client=client,
                state=state,
                reporter=reporter,
            )
            async with _running(shared) as transport:
                yield transport


@asynccontextmanager
async def _running(shared: Shared) -> AsyncIterator[SignalDock]:
    rotation = Rotation(shared)
    shared.client.reload = rotation.reload
    await _sign_in(shared)
    receiver, heartbeat = Receiver(shared), Heartbeat(shared)
    poller = Poller(shared, receiver)
    stream = Stream(shared, receiver, poller)
    shared.keys.swapped = stream.reopen
    try:
        async with beside() as tasks:
            tasks.start_soon(heartbeat.run, name=f"{shared.name}: heartbeat")
            tasks.start_soon(rotation.run, name=f"{shared.name}: key rotation")
            tasks.start_soon(poller.run, name=f"{shared.name}: poller")
            if shared.options.mode != "http":
                tasks.start_soon(stream.run, name=f"{shared.name}: stream")
            files = Files(shared)
            yield SignalDock(Sender(shared, files), files)
    finally:
        await heartbeat.leave()  # when nothing can say any more that it is there


async def _sign_in(shared: Shared) -> None:
    """Find a bad key at the start. A server that is away is no reason not to begin."""
    account = shared.account
    request = Request(method="GET", path=f"/agents/{quote(account.agent, safe='')}")
    try:
        await shared.client.ask(request, tell=False)
    except SignedOutError as error:
        raise CredentialError(
            f"credential {account.credential!r}: {account.url} refuses its key ({error}); store a good one with "
            f"`relaykit credentials set {account.credential}`"
        ) from error
    except TransportError as error:
        shared.reporter.say(f"not signed in yet: {error}")


def _http(account: Account, options: Options) -> httpx.AsyncClient:
    return httpx.AsyncClient(
        base_url=account.url,
        timeout=options.timeout_seconds,
        headers={"User-Agent": "relaykit-signaldock", "Accept": "application/json"},
        follow_redirects=False,  # a key goes where the configuration says, and nowhere else
        trust_env=not account.is_local,
    )


def _redacted(record: logging.LogRecord) -> bool:
    record.msg, record.args = _TOKEN.sub(r"\1***", record.getMessage()), ()
    return True


def _keep_tokens_out_of_logs() -> None:
    """The library logs the address of every request, in which servers of one kind want the key."""
    logging.getLogger("httpx").addFilter(_redacted)  # the same filter is added once, however often it is asked for
