"""SignalDock for relaykit: the transport to a server of that kind, and ``relaykit dock``, a server of one's own."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable, Mapping
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

from relaykit.plugin import CliCommand, Component, hookimpl
from relaykit_signaldock.options import OPTIONS_SCHEMA

if TYPE_CHECKING:
    from relaykit.plugin import Context, Transport


@asynccontextmanager
async def _open(options: Mapping[str, Any], context: Context) -> AsyncIterator[Transport]:
    from relaykit_signaldock.transport import open_signaldock  # noqa: PLC0415 - what is heavy is imported when used

    async with open_signaldock(options, context) as transport:
        yield transport


def _check(options: Mapping[str, Any]) -> str:
    from relaykit_signaldock.check import check  # noqa: PLC0415 - as above

    return check(options)


SIGNALDOCK: Component[Transport] = Component(
    name="signaldock",
    summary="Messages to and from the agents of a SignalDock server",
    open=_open,
    options_schema=OPTIONS_SCHEMA,
    check=_check,
)


@hookimpl
def relaykit_transports() -> Iterable[Component[Transport]]:
    """Offer SignalDock."""
    return [SIGNALDOCK]


DOCK = CliCommand(
    name="dock",
    summary="Serve SignalDock clients over this machine's mailbox, and look after their agents.",
    target="relaykit_signaldock.dock.command:main",
    lent=True,
)


@hookimpl
def relaykit_cli_commands() -> Iterable[CliCommand]:
    """Add the dock."""
    return [DOCK]
