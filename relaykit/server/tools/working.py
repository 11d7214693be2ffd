"""task and react."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from relaykit.errors import RefusedError
from relaykit.model import TaskState
from relaykit.server.tools.documents import task_document
from relaykit.server.tools.making import flag, text, tool

if TYPE_CHECKING:
    from relaykit.server.desk import Desk


async def _task(desk: Desk, said: Mapping[str, Any]) -> dict[str, Any]:
    if "note" in said and "state" not in said:
        raise RefusedError("a note is kept with a state alone; say which, 'in progress' where it goes on")
    name, message = desk.caller.name, said["message"]
    task = await desk.mailbox.task(message, name)
    if not said.keys() & {"claim", "state"} and (each := await _given_away(desk, message)):
        return {"title": task.title, "tasks": each}
    if said.get("claim"):
        task = await desk.mailbox.claim_task(message, name)
    if "state" in said:
        task = await desk.mailbox.set_task(message, name, TaskState(said["state"]), said.get("note", ""))
    return task_document(task)


async def _given_away(desk: Desk, message: str) -> list[dict[str, Any]]:
    """Return the caller's tasks with each of a group; nothing where its message went to one, or is another's."""
    trace = await desk.mailbox.trace(message)
    if trace.message.sender != desk.caller.name or len(trace.tasks) == 1:
        return []
    to = {one.id: one.recipient for one in trace.deliveries}
    return [{"to": to[task.delivery], **task_document(task)} for task in trace.tasks]


async def _react(desk: Desk, said: Mapping[str, Any]) -> dict[str, Any]:
    await desk.mailbox.react(said["message"], desk.caller.name, said["reaction"])
    return {"message": said["message"], "reaction": said["reaction"]}


TASK = tool(
    "task",
    "Look at the task that a message carries, claim it, or say how it went. A task is claimed, in progress and done or "
    "failed by itself with the turn that works on its message; set its state only where that would be wrong. "
    "Who gave one to a group is told of each.",
    {
        "message": text("The whole id of the message.", maxLength=200),
        "claim": flag("Claim it, so that nobody else of a group gets it. It comes to you when you are free."),
        "state": text(
            "What it is.", enum=[str(one) for one in (TaskState.IN_PROGRESS, TaskState.DONE, TaskState.FAILED)]
        ),
        "note": text("One line about it, with a state.", maxLength=1000),
    },
    _task,
    required=("message",),
)
REACT = tool(
    "react",
    "Put a word or a sign on a message, such as 'seen' or '+1'. Nobody's turn begins for it; whoever looks sees it.",
    {
        "message": text("The whole id of a message that you sent or got.", maxLength=200),
        "reaction": text("One short word or sign.", minLength=1, maxLength=32),
    },
    _react,
    required=("message", "reaction"),
)
