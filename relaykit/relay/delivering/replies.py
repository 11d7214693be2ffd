"""Texts and drafts: what an agent is told, and what becomes of its answer."""

from __future__ import annotations

from collections.abc import Sequence

from relaykit.model import USER, Draft, LeasedDelivery, Message, MessageKind


def envelope(message: Message) -> str:
    """Return the text with a line that says who sent it, where that is not the person at this machine."""
    if message.sender == USER and message.kind is MessageKind.MESSAGE:
        return message.body
    what = {
        MessageKind.MESSAGE: "Message",
        MessageKind.REPLY: "Reply",
        MessageKind.FOLLOW_UP: "Follow-up",
        MessageKind.NOTICE: "Notice",
    }[message.kind]
    return f"[{what} {message.id} from {message.sender}, thread {message.thread}]\n\n{message.body}"


def go_on(messages: Sequence[Message], *, quoted: bool = False) -> str:
    """Return what a session is told to make it go on with messages whose turn was cut off.

    They are quoted where the session may not know them any more.
    """
    ids = " and ".join(message.id for message in messages)
    bodies = ["\n\n> " + message.body.replace("\n", "\n> ") for message in messages] if quoted else []
    return (
        f"You were interrupted while working on message {ids}. Look at what is already done, do not do it again, "
        "and go on until it is finished; then answer the message." + "".join(bodies)
    )


def answer(agent: str, leased: Sequence[LeasedDelivery], text: str) -> Draft | None:
    """Return the one reply to deliveries of one turn, or None where nobody is answered."""
    to = next((item.reply_to for item in leased if item.reply_to), None)
    if to is None:
        return None
    return Draft(
        sender=agent,
        to=to.recipient,
        body=text,
        thread=to.thread,
        kind=to.kind,
        in_reply_to=tuple(item.reply_to.message for item in leased if item.reply_to),
    )


def reach_beyond(items: Sequence[LeasedDelivery]) -> bool:
    """Whether somebody beyond this machine is told of the deliveries' end, which loss of power must not take back."""
    return any(item.message.account is not None or "@" in item.message.sender for item in items)
