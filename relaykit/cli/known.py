"""Whether anybody is called so: a slip of the pen is not an agent that did nothing."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from relaykit.cli.history import session_store
from relaykit.cli.mail import mailbox
from relaykit.cli.near import near
from relaykit.errors import NotFoundError
from relaykit.mailbox import directory
from relaykit.sessions import operations

if TYPE_CHECKING:
    from collections.abc import Iterable


def check_agent(agent: str | None) -> None:
    """Raise NotFoundError where one is named that neither history, mailbox nor configuration knows."""
    if agent is None:
        return
    with session_store() as store:
        if store.run(operations.sessions, agent):
            return  # it may be gone by now; what it did is not
    with mailbox() as door:
        known = {entry.agent.id for entry in door.run(directory.agents)}
    if agent not in known and agent not in (known := known | set(_configured())):
        raise NotFoundError(f"there is no agent {agent!r}{near(agent, known)}; see `relaykit agents`")


def _configured() -> Iterable[str]:
    from relaykit.config import read  # noqa: PLC0415 - only for a name that nobody else knows

    agents = read().tree.get("agents")
    return agents if isinstance(agents, Mapping) else ()
