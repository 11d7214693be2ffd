"""``relaykit inbox``: what waits for a person or an agent."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Annotated, Any, TypeVar

from relaykit.cli.attachments import attachment_lines
from relaykit.cli.calling import examples
from relaykit.cli.mail import LONGEST, mailbox
from relaykit.cli.options import Json
from relaykit.cli.output import clipped, indented, moment, painted, say, say_json, write
from relaykit.cli.parameters import Argument, Option
from relaykit.cli.trace import message_document, reaction_documents, reactions_line, task_document, task_line
from relaykit.errors import UsageError, WaitTimeoutError
from relaykit.mailbox import directory, reading
from relaykit.model import USER

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from relaykit.mailbox.door import Door
    from relaykit.model import InboxItem

_AT_ONCE = 500
T = TypeVar("T")


@examples("relaykit inbox", "relaykit inbox --wait 60", "relaykit inbox reviewer --json")
def inbox(
    name: Annotated[str, Argument("NAME", "Whose: a person's, or an agent's queue.")] = USER,
    all_: Annotated[bool, Option("--all", help="The last 100 that have ended, too.")] = False,
    keep: Annotated[bool, Option("--keep", help="Acknowledge nothing: it is shown again.")] = False,
    wait: Annotated[
        float | None,
        Option(
            "--wait",
            metavar="SECONDS",
            least=0,
            bare="600",
            help="Wait until there is something, 600 seconds if not said.",
        ),
    ] = None,
    json: Json = False,
) -> None:
    """Show what waits for a person, which acknowledges it, or what waits in an agent's queue, which does not."""
    if not name:
        raise UsageError("NAME: '' is nobody's; leave it out for your own")
    with mailbox(make=wait is not None) as door:
        items = _waited(door, name, wait) if wait is not None else ()
        items = items or door.run(reading.inbox, name, ended=all_, whole=True)
        if json:
            say_json({"recipient": name, "items": [_document(item) for item in items]})
        else:
            _say_items(name, items, _asked(door, items))
        write(now=True)
        waiting = [item.delivery.id for item in items if not item.delivery.state.ended]
        if waiting and not keep and not _is_agent(door, name):
            for some in _parts(waiting):
                door.run(reading.acknowledge, some, "shown in the inbox")


def _waited(door: Door, name: str, seconds: float) -> Sequence[InboxItem]:
    until = time.monotonic() + seconds
    with door.listen() as watch:
        while not (items := door.run(reading.inbox, name, whole=True)):
            left = until - time.monotonic()
            if left <= 0:
                raise WaitTimeoutError(f"nothing came for {name!r} within {seconds:g} s")
            watch.wait_for(min(left, LONGEST), name)
    return items


def _asked(door: Door, items: Sequence[InboxItem]) -> Mapping[str, str]:
    """Return the texts of the messages that these answer, by id."""
    ids = list({id_ for item in items for id_ in item.message.in_reply_to})
    return {id_: body for some in _parts(ids) for id_, body in door.run(reading.bodies, some).items()}


def _parts(many: Sequence[T]) -> Iterator[Sequence[T]]:
    """Yield them in as many at a time as one operation may take while others wait for the store."""
    for begin in range(0, len(many), _AT_ONCE):
        yield many[begin : begin + _AT_ONCE]


def _is_agent(door: Door, name: str) -> bool:
    return any(entry.agent.id == name for entry in door.run(directory.agents))


def _say_items(name: str, items: Sequence[InboxItem], asked: Mapping[str, str]) -> None:
    if not items:
        say(f"nothing waits for {name}")
    for item in items:
        message, state = item.message, item.delivery.state
        ended = f", {state.value}" if state.ended else ""
        to = f" to {message.to}" if item.delivery.recipient != name else ""
        head = f"{message.id}  {message.kind.value} from {message.sender}{to}, {moment(message.created_at)}{ended}"
        say(painted(head, "bold"))
        for id_ in message.in_reply_to:
            say(painted(indented(f"in answer to {id_}: {clipped(asked.get(id_, 'no longer kept'))}"), "dim"))
        say(indented(message.body))
        for line in attachment_lines(message):
            say(indented(line))
        if item.task is not None:
            say(indented(task_line(item.task)))
        if item.reactions:
            say(indented(reactions_line(item.reactions)))


def _document(item: InboxItem) -> dict[str, Any]:
    return {
        **message_document(item.message),
        "state": item.delivery.state.value,
        "reason": item.delivery.reason,
        "task": None if item.task is None else task_document(item.task),
        "reactions": reaction_documents(item.reactions),
    }
