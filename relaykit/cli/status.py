"""``relaykit status``: what the agents and their relays are doing."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

from msgspec.structs import asdict

from relaykit.cli.agents import agent_document
from relaykit.cli.beyond import carried
from relaykit.cli.calling import examples
from relaykit.cli.home import home, is_missing
from relaykit.cli.mail import mailbox
from relaykit.cli.near import near
from relaykit.cli.options import Json
from relaykit.cli.output import clock_time, painted, plain, say, say_json
from relaykit.cli.parameters import Argument
from relaykit.cli.presence import Present, living, present
from relaykit.errors import NotFoundError
from relaykit.mailbox import directory, permissions, reading
from relaykit.relay.clock import SystemClock
from relaykit.relay.runfile import running

if TYPE_CHECKING:
    from collections.abc import Sequence

    from relaykit.model import Capabilities, RelayRecord

_COLOURS = {"idle": "green", "busy": "yellow", "offline": "dim", "error": "red"}


@examples("relaykit status", "relaykit status reviewer --json")
def status(
    agent: Annotated[str | None, Argument("AGENT", "Only this agent.")] = None,
    json: Json = False,
) -> None:
    """Show what each agent is doing and why, held against the process that really runs it.

    Of one that is named it also tells what its provider can do.
    """
    with mailbox() as door:
        there = present(door, home())
        relays = door.run(directory.relays)
        asked = len(door.run(permissions.permissions))
        beyond = door.run(reading.queued_beyond)
    found = [one for one in there if agent in (None, one.entry.agent.id)]
    alive = living(relays, there, home())
    if agent is not None and not found:
        hint = near(agent, [one.entry.agent.id for one in there])
        raise NotFoundError(f"there is no agent {agent!r}{hint}; see `relaykit agents`")
    if json:
        say_json(_document(found, _relay_documents(relays, alive), asked, beyond))
        return
    _say(found, alive, asked)
    if agent is None:
        _say_beyond(beyond)
    elif able := found[0].entry.agent.able:
        _say_able(able)


def _say_able(able: Capabilities) -> None:
    """Tell what a provider said of itself; ``clear`` is the relay's own, which every agent has."""
    told = asdict(able)
    for word, wanted in (("can", True), ("cannot", False)):
        names = [name.replace("_", " ") for name, value in told.items() if value is wanted and name != "clear"]
        say(f"{word}: {', '.join(names) or 'nothing more'}")
    chosen = [f"{name} {told[name]}" for name in ("model", "effort") if told[name]]
    say(plain(", ".join(chosen) or "model and effort as its own settings decide"))


def _document(
    found: Sequence[Present], relays: Sequence[dict[str, Any]], asked: int, beyond: Sequence[tuple[str, int]]
) -> dict[str, Any]:
    there = carried() if beyond else ()
    return {
        "home": str(home()),
        "agents": [agent_document(one) for one in found],
        "relays": relays,
        "permissions": asked,
        "beyond": [{"transport": name, "queued": count, "carried": name in there} for name, count in beyond],
    }


def _relay_documents(relays: Sequence[RelayRecord], alive: Sequence[RelayRecord]) -> list[dict[str, Any]]:
    urls = {info.incarnation: info.url for info in running(home(), SystemClock().boot_id())}
    return [
        {"pid": one.pid, "incarnation": one.incarnation, "alive": one in alive, "url": urls.get(one.incarnation)}
        for one in relays
    ]


def _say(found: Sequence[Present], alive: Sequence[RelayRecord], asked: int) -> None:
    for one in found:
        _say_agent(one)
    say(f"relays: {', '.join(str(relay.pid) for relay in alive)}" if alive else "no relay runs")
    if is_missing(home()):
        say(f"there is no home at {home()} yet: the first `relaykit run` or `relaykit send` makes it")
    if asked:
        say(f"{asked} permission {'request waits' if asked == 1 else 'requests wait'}: relaykit permissions")


def _say_beyond(beyond: Sequence[tuple[str, int]]) -> None:
    there = carried() if beyond else ()
    for name, count in beyond:
        if name not in there:
            waits = "message waits" if count == 1 else "messages wait"
            say(plain(f"{count} {waits} for the transport {name!r}, which no running relay has"))


def _say_agent(one: Present) -> None:
    status, entry = one.status, one.entry
    words = [status.kind.value, status.reason and f"({plain(status.reason)})", plain(status.detail)]
    since = f", since {clock_time(status.since)}" if status.since else ""
    queued = f", {entry.queued} queued" if entry.queued else ""
    text = " ".join(word for word in words if word)
    say(f"{painted(entry.agent.id, 'bold')}: {painted(text, _COLOURS[status.kind.value])}{since}{queued}")
    for item in status.work:
        say(f"    {item.kind} {item.id} {plain(item.label)}".rstrip())
    if status.next_try:
        say(f"    next try at {clock_time(status.next_try)}")
