"""Putting a message in for an agent."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING
from uuid import NAMESPACE_URL, uuid5

from relaykit.errors import NotFoundError
from relaykit.model import Draft, new_id
from relaykit_signaldock.dock import shapes
from relaykit_signaldock.dock.envelope import good, missing
from relaykit_signaldock.dock.records import CONTENT_TYPES, PLAIN, Annotation, Conversation
from relaykit_signaldock.dock.routing import address

if TYPE_CHECKING:
    from collections.abc import Sequence

    from starlette.responses import Response

    from relaykit.model import Attachment, Message
    from relaykit_signaldock.dock.call import Call, Said
    from relaykit_signaldock.dock.dock import Dock

_KEY = "Idempotency-Key"
_NAMES = uuid5(NAMESPACE_URL, "relaykit:dock")


def between(one: str, other: str) -> str:
    """Return the id of the conversation of two: found or made, it is the same."""
    return str(uuid5(_NAMES, json.dumps(["conversation", *sorted({one, other})])))


async def post(
    call: Call, body: Said, conversation: str, members: Sequence[str], files: tuple[Attachment, ...] = ()
) -> Response:
    """Put a message into a conversation; answered, it is stored, and no crash or loss of power takes it away.

    A client's idempotency key makes the message's id, so that the mailbox itself knows a second try from a first.
    """
    me, dock = call.me, call.dock
    key = call.request.headers.get(_KEY)
    others = [name for name in members if name != me] or [me]
    draft = Draft(
        id=new_id() if key is None else str(uuid5(_NAMES, json.dumps(["message", me, key]))),
        sender=me,
        to=others[0] if len(others) == 1 else address(conversation),
        body=body.text("content"),
        thread=conversation,
        in_reply_to=await _answered(call, body),
        account=f"dock/{me}",
        attachments=files,
    )
    said, turn = _annotation(body), None
    if said != PLAIN:
        dock.store.annotate(draft.id, said)
        turn = dock.syncer.ask()
    message = await _put(dock, draft, members)
    if turn is not None:
        await turn.wait()  # while the mailbox was synced, this was, too
    shape = shapes.message(message, said=said)
    headers = {} if key is None else {_KEY: key}
    return good({"message": {**shape, "status": "pending"}}, status=201, headers=headers)


async def _put(dock: Dock, draft: Draft, members: Sequence[str]) -> Message:
    conversation = draft.thread or draft.id
    if dock.store.conversation(conversation) is None:
        about = Conversation(id=conversation, participants=tuple(sorted(members)), created_at=dock.clock.now())
        dock.store.add_conversation(about)
    dock.router.enter(conversation, members)
    try:
        return (await dock.mailbox.put(draft, synced=True)).message
    finally:
        dock.router.leave(conversation)


async def _answered(call: Call, body: Said) -> tuple[str, ...]:
    answered = body.text("replyTo", "")
    if not answered:
        return ()
    await visible(call.dock, call.me, answered)
    return (answered,)


async def visible(dock: Dock, agent: str, id: str) -> Message:
    """Return a message that an agent sent or got."""
    try:
        trace = await dock.mailbox.trace(id)
    except NotFoundError:
        raise missing("MESSAGE", id) from None
    people = {trace.message.sender, *(one.recipient for one in trace.deliveries)}
    if trace.message.id != id or agent not in people:
        raise missing("MESSAGE", id)
    return trace.message


def _annotation(body: Said) -> Annotation:
    return Annotation(
        content_type=body.one_of("contentType", "text", CONTENT_TYPES), metadata=dict(body.mapping("metadata"))
    )
