"""Commands to agents' lives, and what waits for them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from relaykit.errors import ConflictError, NotFoundError
from relaykit.mailbox import rows
from relaykit.mailbox.lookup import full_id
from relaykit.model import Command, CommandKind, CommandState, new_id

if TYPE_CHECKING:
    from relaykit.mailbox.transaction import Transaction

WAITS = "state = 'accepted' AND state IN ('accepted', 'running')"
"""Of a command that nobody took yet; the second half is what the index on open commands is found by."""
TAKE_SECONDS = 60.0
"""How long a command waits for someone to take it."""


def order(
    tx: Transaction, agent: str, kind: CommandKind, *, text: str = "", sender: str, id: str | None = None
) -> Command:
    """Store a command under the agent's epoch; for an agent that nobody runs it has ended at once."""
    if id is not None and (row := tx.row(f"SELECT {rows.COMMAND} FROM command WHERE id = ?", id)):
        return _same(rows.command(row), agent, kind, text)
    known = tx.row("SELECT epoch, owner FROM agent WHERE id = ?", agent)
    if known is None:
        raise NotFoundError(f"there is no agent {agent!r}")
    epoch, owner = known
    state, result = CommandState.ACCEPTED, ""
    if owner is None:
        state = CommandState.SUCCEEDED if kind.ends_agent else CommandState.FAILED
        result = f"nobody runs {agent}"
    row = tx.row(
        "INSERT INTO command (id, agent, kind, epoch, state, text, sender, created_at, take_by, result) "
        f"VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?) RETURNING {rows.COMMAND}",
        id or new_id(),
        agent,
        kind,
        epoch,
        state,
        text,
        sender,
        tx.now,
        tx.now + TAKE_SECONDS,
        result,
    )
    return rows.command(row)


def orders(tx: Transaction, agent: str, epoch: int) -> list[Command]:
    """Return the commands that wait to be taken, oldest first; those that are too old or late are closed."""
    close_late(tx)
    tx.write(
        "UPDATE command SET state = 'failed', result = 'it was given to an earlier run of the agent' "
        f"WHERE agent = ? AND {WAITS} AND epoch < ?",
        agent,
        epoch,
    )
    found = tx.rows(
        f"SELECT {rows.COMMAND} FROM command WHERE agent = ? AND {WAITS} AND epoch = ? ORDER BY number",
        agent,
        epoch,
    )
    return [rows.command(row) for row in found]


def advance(tx: Transaction, command: str, state: CommandState, result: str = "") -> None:
    """Move a command on; one that has ended stays as it is."""
    tx.write(
        "UPDATE command SET state = ?, result = ? WHERE id = ? AND state IN ('accepted', 'running')",
        state,
        rows.storable(result),
        command,
    )


def command(tx: Transaction, command: str) -> Command:
    """Return a command; one that nobody took in time has failed."""
    known = full_id(tx, "command", command)
    close_late(tx)
    return rows.command(tx.row(f"SELECT {rows.COMMAND} FROM command WHERE id = ?", known))


def close_late(tx: Transaction) -> None:
    """Close commands that nobody took in time."""
    tx.write(
        f"UPDATE command SET state = 'failed', result = 'nobody took it in time' WHERE {WAITS} AND take_by <= ?",
        tx.now,
    )


def _same(command: Command, agent: str, kind: CommandKind, text: str) -> Command:
    if (command.agent, command.kind, command.text) != (agent, kind, text):
        raise ConflictError(f"the id {command.id!r} was used before for another command")
    return command
