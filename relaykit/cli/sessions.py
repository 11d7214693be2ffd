"""``relaykit sessions``: the conversations that agents had."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

from relaykit.cli.calling import examples
from relaykit.cli.history import session_store
from relaykit.cli.known import check_agent
from relaykit.cli.options import Json
from relaykit.cli.output import moment, say, say_json, table
from relaykit.cli.parameters import Argument
from relaykit.sessions import operations

if TYPE_CHECKING:
    from relaykit.model import SessionRecord


@examples("relaykit sessions", "relaykit sessions reviewer --json")
def sessions(agent: Annotated[str | None, Argument("AGENT", "Only this agent's.")] = None, json: Json = False) -> None:
    """List the agents' sessions, the latest first."""
    check_agent(agent)
    with session_store() as store:
        found = store.run(operations.sessions, agent)
    if json:
        say_json({"sessions": [_document(one) for one in found]})
    elif not found:
        say("there are no sessions")
    else:
        table(("SESSION", "AGENT", "PROVIDER", "BEGUN", "ENDED", "EVENTS", "DIRECTORY"), map(_row, found))


def _row(one: SessionRecord) -> tuple[object, ...]:
    ended = moment(one.ended_at) if one.ended_at is not None else "-"
    return (one.id, one.agent, one.provider, moment(one.started_at), ended, one.last_number, one.cwd)


def _document(one: SessionRecord) -> dict[str, Any]:
    return {
        "id": one.id,
        "agent": one.agent,
        "provider": one.provider,
        "cwd": one.cwd,
        "started_at": one.started_at,
        "ended_at": one.ended_at,
        "events": one.last_number,
    }
