"""The Codex provider of relaykit: a real codex app-server over stdio or a socket."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager, nullcontext
from typing import TYPE_CHECKING, Any

from relaykit.plugin import Component, hookimpl
from relaykit_codex.options import OPTIONS_SCHEMA

if TYPE_CHECKING:
    from relaykit.model import Profile, Projection
    from relaykit.plugin import Context, Provider


@asynccontextmanager
async def _open(options: Mapping[str, Any], context: Context) -> AsyncIterator[Provider]:
    # Its session is opened next; one that is detached may run already.
    with nullcontext() if options.get("detached") else context.processes.ahead():
        from relaykit_codex.provider import open_provider  # noqa: PLC0415 - what is heavy is imported when it is used

        async with open_provider(options, context) as provider:
            yield provider


def _check(options: Mapping[str, Any]) -> str:
    from relaykit_codex.check import check  # noqa: PLC0415 - as above

    return check(options)


def _projects(profile: Profile, options: Mapping[str, Any]) -> Sequence[Projection]:
    from relaykit_codex.profiles import project  # noqa: PLC0415 - as above

    return project(profile, options)


CODEX: Component[Provider] = Component(
    name="codex",
    summary="Codex, driven through its own app-server",
    open=_open,
    options_schema=OPTIONS_SCHEMA,
    check=_check,
    projects=_projects,
)


@hookimpl
def relaykit_providers() -> Iterable[Component[Provider]]:
    """Offer Codex."""
    return [CODEX]
