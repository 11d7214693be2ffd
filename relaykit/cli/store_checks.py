"""What ``relaykit doctor`` looks at: the stores, and what relays left in them."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING

from relaykit.builtin.routing import AddressRouter
from relaykit.cli.detached import detached
from relaykit.cli.finding import Finding, Level
from relaykit.cli.presence import living, present
from relaykit.errors import RelaykitError, StoreDamagedError
from relaykit.mailbox import directory
from relaykit.mailbox.door import open_door
from relaykit.mailbox.schema import FILE as MAILBOX_FILE
from relaykit.model import StatusKind
from relaykit.sessions import operations
from relaykit.sessions.schema import FILE as SESSIONS_FILE
from relaykit.sessions.schema import open_database

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from contextlib import AbstractContextManager

    from relaykit.cli.presence import Present
    from relaykit.mailbox.door import Door

_RESTORE = "stop the relay, and put a backup of the file back or move it away"


def stores(home: Path) -> Iterator[Finding]:
    """Open each store that there is."""
    yield _store("mailbox", home / MAILBOX_FILE, _count_agents)
    yield _store("sessions", home / SESSIONS_FILE, _count_sessions)


def relays(home: Path) -> Iterator[Finding]:
    """Say which relays run, and which ended without taking leave."""
    try:
        if not (home / MAILBOX_FILE).exists():
            return
        with _mailbox(home) as door:
            found, there = door.run(directory.relays), present(door, home)
    except (RelaykitError, OSError):
        return  # the check of the mailbox has said it
    alive = living(found, there, home)
    running = ", ".join(str(relay.pid) for relay in alive)
    yield Finding("relays", Level.OK, f"running: process {running}" if running else "none runs")
    for relay in found:
        if relay not in alive:
            text = f"process {relay.pid} ended without taking leave"
            yield Finding("relays", Level.WARN, text, "the next `relaykit run` of its agents takes over what it held")
    for one in there:
        yield from _left_alone(home, one)
        yield from _within(home, one)
        if one.status.reason in ("gone", "stale"):
            yield Finding(
                "agents", Level.WARN, f"{one.entry.agent.id}: {one.status.detail}", "start it with `relaykit run`"
            )


def _mailbox(home: Path) -> AbstractContextManager[Door]:
    """Open the mailbox of a home whatever the configuration says of it: that is looked at, too, and may be broken."""
    return open_door(home, routers=(AddressRouter(),))


def _left_alone(home: Path, one: Present) -> Iterator[Finding]:
    """Say what outlived its relay and has none now."""
    agent = one.entry.agent.id
    if one.status.kind is StatusKind.OFFLINE and (found := detached(home, agent)):
        text = f"{agent}: its detached process {', '.join(map(str, found))} runs, and no relay does"
        yield Finding("agents", Level.WARN, text, f"`relaykit run` goes on with it; `relaykit stop {agent}` ends it")


def _within(home: Path, one: Present) -> Iterator[Finding]:
    """Say of whom works among what relays write: a coding agent watches its directory, and reads what it finds there."""
    agent = one.entry.agent
    if one.status.kind is StatusKind.OFFLINE or agent.reads_inbox:
        return  # it works nowhere, or beyond this machine
    if Path(agent.cwd).resolve().is_relative_to(home.resolve()):
        text = f"{agent.id} works in {agent.cwd}, within the home: it sees all mail, and each message that is written slows it"
        yield Finding("agents", Level.WARN, text, "give it a directory of its own: --cwd DIR")


def _store(name: str, path: Path, count: Callable[[Path], str]) -> Finding:
    try:
        size = path.stat().st_size
        return Finding(name, Level.OK, f"{count(path)}, {size / 2**20:.1f} MiB")
    except FileNotFoundError:
        return Finding(name, Level.OK, "there is none yet")
    except OSError as error:
        return Finding(name, Level.FAIL, f"{path}: {error.strerror}", "see what the check of the home says")
    except StoreDamagedError as error:
        return Finding(name, Level.FAIL, str(error), _RESTORE)
    except RelaykitError as error:
        return Finding(name, Level.FAIL, str(error))


def _count_agents(file: Path) -> str:
    with _mailbox(file.parent) as door:
        return f"opens; {len(door.run(directory.agents))} agents"


def _count_sessions(file: Path) -> str:
    with closing(open_database(file)) as store:
        return f"opens; {len(store.run(operations.sessions, None))} sessions"
