"""``relaykit send``: put a message, and where wished wait for what becomes of it."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated

from relaykit.cli.attachments import attached
from relaykit.cli.calling import examples
from relaykit.cli.mail import mailbox
from relaykit.cli.output import clipped, say, say_json, telling
from relaykit.cli.parameters import Argument, Option
from relaykit.cli.text import given_text
from relaykit.errors import UsageError
from relaykit.mailbox import letters
from relaykit.model import NAME, USER, Draft, Priority, new_id, parse_address

_LONGEST_ID = 200


@examples(
    'relaykit send reviewer "Look at the last commit."',
    'relaykit send reviewer "Is it safe to merge?" --wait 120',
    "git diff | relaykit send tag:review - --all --wait --json",
    'relaykit send any:cap:python "Run the tests." --priority next --thread ci-17',
    'relaykit send reviewer@dock "What does this log say?" --attach build.log',
    'relaykit send any:tag:dev "The build is red since 4f1c." --task "mend the build"',
)
def send(
    to: Annotated[str, Argument("TO", "An agent, label:x, tag:x, cap:x, broadcast, any:tag:x or name@transport.")],
    body: Annotated[str | None, Argument("BODY", "The text; - or none reads standard input.")] = None,
    *,
    sender: Annotated[str | None, Option("--from", metavar="NAME", help="Who says it; user if left out.")] = None,
    thread: Annotated[str | None, Option("--thread", metavar="T", help="The conversation it belongs to.")] = None,
    priority: Annotated[Priority | None, Option("--priority", help="How it meets a running turn.")] = None,
    wait: Annotated[
        float | None,
        Option(
            "--wait",
            metavar="SECONDS",
            least=0,
            bare="600",
            help="Wait for the reply, 600 seconds if not said, and print it.",
        ),
    ] = None,
    all_: Annotated[bool, Option("--all", help="Of a group, wait for every member's reply.")] = False,
    any_: Annotated[bool, Option("--any", help="Of a group, wait for the first reply.")] = False,
    task: Annotated[
        str | None, Option("--task", metavar="TITLE", help="The work that it carries; its state is kept and shown.")
    ] = None,
    attach: Annotated[
        tuple[Path, ...], Option("--attach", metavar="FILE", help="A file that goes with it; repeatable.")
    ] = (),
    id_: Annotated[str | None, Option("--id", metavar="ID", help="Your own id: the same again is the first.")] = None,
    json: Annotated[bool, Option("--json", help="Print one JSON document.")] = False,
) -> int:
    """Put a message into the mailbox and print its id.

    With --wait print the reply's text instead. Ends with 4 where the message was refused or ended otherwise than
    well, with 5 where the wait timed out; the message then goes on, and `relaykit trace ID` tells.
    """
    _check_group(to, waits=wait is not None, all_=all_, any_=any_)
    draft = Draft(
        id=_own_id(id_) or new_id(),
        sender=_name("--from", sender) or _name("RELAYKIT_AGENT", os.environ.get("RELAYKIT_AGENT") or None) or USER,
        to=to,
        body=given_text(body),
        thread=_thread(thread),
        priority=priority,
        all=all_,
        task=task,
        attachments=attached(attach),
    )
    if wait is not None:
        from relaykit.cli.waiting import Wait, wait_for  # noqa: PLC0415 - one send in two does not wait

        return wait_for(Wait(draft=draft, seconds=wait, every=all_, json=json))
    with mailbox(make=True) as door:
        accepted = door.run(letters.put, draft)
    with telling(f"the message is stored, as {accepted.message.id}: do not send it again"):
        say_json({"id": accepted.message.id}) if json else say(accepted.message.id, now=True)
    return 0


def _own_id(word: str | None) -> str | None:
    """Return the id that was given; one that is empty is a script's unset variable, and not left out on purpose."""
    if word is not None and not (word.isprintable() and 0 < len(word) <= _LONGEST_ID and " " not in word):
        raise UsageError(f"--id: {clipped(word)!r} is no id: 1 to {_LONGEST_ID} characters that can be seen")
    return word


def _name(said: str, word: str | None) -> str | None:
    if word is not None and not NAME.fullmatch(word):
        raise UsageError(
            f"{said}: {clipped(word)!r} is no name: letters, digits, '.', '_' and '-', at most 64 of them, "
            "the first a letter or digit"
        )
    return word


def _thread(word: str | None) -> str | None:
    if word == "":
        raise UsageError("--thread: '' is no thread; leave it out to begin one")
    return word


def _check_group(to: str, *, waits: bool, all_: bool, any_: bool) -> None:
    is_group = parse_address(to).kind == "group"
    if all_ and any_:
        raise UsageError("--all and --any exclude each other")
    if waits and is_group and not (all_ or any_):
        raise UsageError(f"{to!r} is a group: say --all to wait for every reply, or --any for the first")
