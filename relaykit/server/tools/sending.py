"""send and reply."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from functools import partial
from typing import TYPE_CHECKING, Any

from relaykit.model import Draft, Message, MessageKind, Priority, new_id, parse_address
from relaykit.server.desk import MAX_WAIT
from relaykit.server.tools.documents import WHOLE, delivery_document, message_document
from relaykit.server.tools.making import flag, number, text, tool

if TYPE_CHECKING:
    from relaykit.model import Accepted, Delivery, Trace
    from relaykit.server.desk import Desk

_NOT_YET = (
    "no answer yet; the message goes on, and its answer comes to you as a message of its own. "
    "End your turn, or go on with other work; do not send it again."
)
_CUT = "what is cut here comes to you whole, as a message of its own"


async def _send(desk: Desk, said: Mapping[str, Any]) -> dict[str, Any]:
    parse_address(said["to"])
    draft = Draft(
        sender=desk.caller.name,
        to=said["to"],
        body=said["body"],
        thread=said.get("thread"),
        priority=Priority(said["priority"]) if "priority" in said else None,
        all=said.get("all", False),
        task=said.get("task"),
    )
    seconds = said.get("wait", 0)
    waits = seconds if seconds and desk.caller.is_agent else None
    with _place(desk, seconds):
        accepted = await desk.mailbox.put(draft, synced=desk.services.config.synced, waits=waits)
        if waits:
            desk.at_end.append(partial(desk.mailbox.end_wait, draft.id))
        told = await _heard(desk, draft, accepted, seconds) if seconds else _stored(accepted)
    return {**told, **_lowered(draft, accepted)}


def _place(desk: Desk, seconds: float) -> AbstractContextManager[None]:
    """Have the place of a call that waits: taken later, it could be refused after its message was sent, and sent again."""
    return desk.place() if seconds else nullcontext()


async def _heard(desk: Desk, draft: Draft, accepted: Accepted, seconds: float) -> dict[str, Any]:
    """Wait for what is said in answer."""
    over = await desk.wait(draft.id, seconds, partial(_is_over, every=draft.all))
    if over is None:
        now = await desk.mailbox.trace(draft.id)
        taken = f"{who} took it, and has not answered; " if (who := now.taken_by) else ""
        return {**_stored(accepted, now.deliveries), "note": taken + _NOT_YET}
    shown = [reply for reply in over.replies if draft.all or _is_told(reply, over)]
    room = WHOLE // max(1, len(shown))
    whole = [reply for reply in shown if len(reply.body) <= room]
    desk.once_answered.append(partial(_acknowledge, desk, whole))
    return {
        "id": draft.id,
        "thread": accepted.message.thread,
        "deliveries": [delivery_document(one) for one in over.deliveries],
        "replies": [message_document(one, room) for one in shown],
        **({"note": _CUT} if len(whole) < len(shown) else {}),
    }


async def _reply(desk: Desk, said: Mapping[str, Any]) -> dict[str, Any]:
    seconds = said.get("wait", 0)
    with _place(desk, seconds):
        accepted = await desk.mailbox.answer(desk.caller.name, said["message"], said["body"], id=new_id())
        over = await desk.wait(accepted.message.id, seconds, _has_ended_everywhere) if seconds else None
    is_the_reply = accepted.message.kind is not MessageKind.MESSAGE
    note = (
        "this is the answer; what you write at the end of this turn is not sent any more"
        if is_the_reply
        else "sent as one more message of the thread: the message's own answer is, or was, the text of its turn"
    )
    deliveries = over.deliveries if over else accepted.deliveries
    return {**_stored(accepted, deliveries), "note": note}


def _stored(accepted: Accepted, deliveries: Sequence[Delivery] = ()) -> dict[str, Any]:
    return {
        "id": accepted.message.id,
        "thread": accepted.message.thread,
        "deliveries": [delivery_document(one) for one in deliveries or accepted.deliveries],
    }


def _lowered(draft: Draft, accepted: Accepted) -> dict[str, str]:
    """Return that a message has not the priority that was asked for, where it has not."""
    given = accepted.message.priority
    if given in (draft.priority, None):
        return {}
    return {"priority": f"{given}, since you may not send {draft.priority}"}


def _is_over(trace: Trace, *, every: bool) -> bool:
    """Whether nothing more is to be waited for: every answer or end, or, if one is enough, the first good one."""
    answered = [one for one in trace.deliveries if trace.answer_of(one)]  # before its turn ends, too
    over = [one for one in trace.deliveries if one in answered or not trace.awaits(one)]
    good = [one for one in over if one in answered or one.state.ended_well]
    return len(over) == len(trace.deliveries) or (not every and bool(good))


def _has_ended_everywhere(trace: Trace) -> bool:
    return all(one.state.ended for one in trace.deliveries)


def _is_told(reply: Message, trace: Trace) -> bool:
    """Whether a reply is shown where one is enough: an answer, or a notice where there is no answer."""
    return reply.kind is not MessageKind.NOTICE or all(one.kind is MessageKind.NOTICE for one in trace.replies)


async def _acknowledge(desk: Desk, shown: Sequence[Message]) -> None:
    """End the deliveries of answers that the caller has now: it needs no turn for them."""
    traces = [await desk.mailbox.trace(reply.id) for reply in shown]
    name = desk.caller.name
    mine = [one.id for trace in traces for one in trace.deliveries if one.recipient == name]
    await desk.mailbox.acknowledge(mine, "shown to the wait")


_WAIT = number(
    f"Seconds to wait for the answer, at most {MAX_WAIT:g}. Without it this returns at once, and the answer comes to you "
    "as a message that begins a turn: prefer that for anything that takes long.",
    0,
    MAX_WAIT,
)
SEND = tool(
    "send",
    "Send a message to an agent, a person or a group. Returns its id and what became of it; with wait, the answer. "
    "The recipient's final text of its turn is the answer. find_agents says whom there is.",
    {
        "to": text(
            "An agent's name, 'user', or tag:x, label:x, cap:x, broadcast, any:tag:x (the first that is free), "
            "name@transport.",
            maxLength=200,
        ),
        "body": text("What is said. Give all that the other needs to know: it does not see your conversation."),
        "thread": text("The thread to go on with; without it a new one begins.", maxLength=200),
        "priority": text(
            "later: its own turn, afterwards (the default). next: before all that waits, or into the running turn of the "
            "same thread. now: interrupts, where you may.",
            enum=[str(one) for one in Priority],
        ),
        "wait": _WAIT,
        "all": flag("Of a group, wait for every answer and not the first."),
        "task": text("A title: the message then carries a task, whose state you can look at with task.", maxLength=200),
    },
    _send,
    required=("to", "body"),
)
REPLY = tool(
    "reply",
    "Answer a message before your turn ends. Use it only for that: what you write at the end of your turn is sent as the "
    "answer by itself, unless this was called. Returns what became of the answer.",
    {
        "message": text("The whole id of the message.", maxLength=200),
        "body": text("The answer."),
        "wait": number("Seconds to wait until the other has done with it.", 0, MAX_WAIT),
    },
    _reply,
    required=("message", "body"),
)
