"""The Claude Code provider of relaykit: a real claude, driven through its stream of JSON."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

from relaykit.plugin import Component, hookimpl
from relaykit_claude.options import OPTIONS_SCHEMA

if TYPE_CHECKING:
    from relaykit.model import Profile, Projection
    from relaykit.plugin import Context, Provider


@asynccontextmanager
async def _open(options: Mapping[str, Any], context: Context) -> AsyncIterator[Provider]:
    with context.processes.ahead():  # its session is opened next
        from relaykit_claude.provider import open_provider  # noqa: PLC0415 - what is heavy is imported when it is used

        async with open_provider(options, context) as provider:
            yield provider


def _check(options: Mapping[str, Any]) -> str:
    from relaykit_claude.check import check  # noqa: PLC0415 - as above

    return check(options)


def _projects(profile: Profile, options: Mapping[str, Any]) -> Sequence[Projection]:
    from relaykit_claude.profiles import project  # noqa: PLC0415 - as above

    return project(profile, options)


CLAUDE: Component[Provider] = Component(
    name="claude",
    summary="Claude Code, driven through its stream of JSON",
    open=_open,
    options_schema=OPTIONS_SCHEMA,
    check=_check,
    projects=_projects,
)


@hookimpl
def relaykit_providers() -> Iterable[Component[Provider]]:
    """Offer Claude Code."""
    return [CLAUDE]
