"""``relaykit trace``: every step of a message, and its end with the reason."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

from relaykit.cli.attachments import attachment_documents, attachment_lines
from relaykit.cli.beyond import why_waiting
from relaykit.cli.calling import examples
from relaykit.cli.mail import mailbox
from relaykit.cli.options import Json
from relaykit.cli.output import clipped, clock_time, moment, painted, plain, say, say_json
from relaykit.cli.parameters import Argument
from relaykit.mailbox import reading

if TYPE_CHECKING:
    from collections.abc import Sequence

    from relaykit.model import Delivery, Message, Reaction, Task, Trace


@examples("relaykit trace 5f0c21e8", "relaykit trace 5f0c21e8 --json")
def trace(
    message: Annotated[str, Argument("ID", "A message's id; it may be cut short where that is plain.")],
    json: Json = False,
) -> None:
    """Show every step that a message's deliveries took, with its time, and each end with its reason."""
    with mailbox() as door:
        found = door.run(reading.trace, message)
    if json:
        say_json(trace_document(found))
    else:
        say_trace(found)


def trace_document(trace: Trace) -> dict[str, Any]:
    """Return a trace for programs. Times are wall-clock seconds."""
    return {
        **message_document(trace.message),
        "deliveries": [_delivery_document(delivery) for delivery in trace.deliveries],
        "replies": [message_document(reply) for reply in trace.replies],
        "tasks": [task_document(task) for task in trace.tasks],
        "reactions": reaction_documents(trace.reactions),
    }


def message_document(message: Message) -> dict[str, Any]:
    """Return a message for programs."""
    return {
        "id": message.id,
        "from": message.sender,
        "to": message.to,
        "thread": message.thread,
        "kind": message.kind.value,
        "priority": message.priority.value if message.priority else None,
        "in_reply_to": list(message.in_reply_to),
        "root": message.root,
        "hops": message.hops,
        "at": message.created_at,
        "body": message.body,
        "attachments": attachment_documents(message),
    }


def task_document(task: Task) -> dict[str, Any]:
    """Return a task for programs."""
    return {
        "delivery": task.delivery,
        "title": task.title,
        "state": task.state.value,
        "agent": task.agent,
        "turn": task.turn,
        "note": task.note,
    }


def reaction_documents(reactions: Sequence[Reaction]) -> list[dict[str, Any]]:
    """Return reactions for programs."""
    return [{"who": one.who, "what": one.what, "at": one.at} for one in reactions]


def task_line(task: Task) -> str:
    """Return a task in one line for people."""
    who = f", {task.agent}" if task.agent else ""
    note = f": {plain(task.note)}" if task.note else ""
    return f"task {plain(task.title)}: {task.state.value}{who}{note}"


def reactions_line(reactions: Sequence[Reaction]) -> str:
    """Return reactions in one line for people."""
    return ", ".join(f"{one.who}: {plain(one.what)}" for one in reactions)


def say_trace(trace: Trace) -> None:
    """Tell people."""
    message = trace.message
    say(
        f"{painted(message.id, 'bold')}  {message.kind.value} from {message.sender} to {message.to}, {moment(message.created_at)}"
    )
    say(f"  {clipped(message.body)}")
    for line in attachment_lines(message):
        say(f"  {line}")
    if trace.reactions:
        say(f"  {reactions_line(trace.reactions)}")
    tasks = {task.delivery: task for task in trace.tasks}
    for delivery in trace.deliveries:
        say()
        _say_delivery(delivery)
        if task := tasks.get(delivery.id):
            say(f"  {task_line(task)}")
    for reply in trace.replies:
        say()
        say(f"{reply.kind.value} {reply.id} from {reply.sender}, {clock_time(reply.created_at)}")
        say(f"  {clipped(reply.body)}")


def _say_delivery(delivery: Delivery) -> None:
    colour = "yellow" if not delivery.state.ended else "green" if delivery.state.ended_well else "red"
    reason = f": {plain(delivery.reason)}" if delivery.reason else ""
    say(f"to {delivery.recipient}: {painted(delivery.state.value, colour)}{reason}")
    before = delivery.steps[0].at if delivery.steps else 0.0
    if why := why_waiting(delivery):
        say(f"  {plain(why)}")
    for step in delivery.steps:
        line = f"  {clock_time(step.at)}  {step.at - before:+10.3f} s  {step.state.value:<12} {plain(step.note)}"
        say(line.rstrip())
        before = step.at
    if delivery.body is not None:
        say(f"  edited: {clipped(delivery.body)}")


def _delivery_document(delivery: Delivery) -> dict[str, Any]:
    steps = [{"state": step.state.value, "at": step.at, "note": step.note} for step in delivery.steps]
    return {
        "recipient": delivery.recipient,
        "state": delivery.state.value,
        "reason": delivery.reason,
        "waits": why_waiting(delivery),
        "priority": delivery.priority.value,
        "attempt": delivery.attempt,
        "deaths": delivery.deaths,
        "session": delivery.session,
        "turn": delivery.turn,
        "held": delivery.held,
        "body": delivery.body,
        "steps": steps,
    }
