"""``relaykit approve``: let an agent do what it asks for."""

from __future__ import annotations

from json import loads
from typing import Annotated

from relaykit.cli.calling import examples
from relaykit.cli.deciding import answer
from relaykit.cli.options import Json
from relaykit.cli.parameters import Argument, Option
from relaykit.errors import UsageError
from relaykit.model import Decision, Reply


@examples(
    "relaykit approve 3a91",
    "relaykit approve 3a91 --session",
    "relaykit approve 3a91 --answer Red",
    """relaykit approve 3a91 --input '{"command": "ls"}'""",
)
def approve(
    request: Annotated[str, Argument("ID", "The request's id; it may be cut short where that is plain.")],
    session: Annotated[bool, Option("--session", help="Also the like of it, until the session ends.")] = False,
    answers: Annotated[
        tuple[str, ...], Option("--answer", metavar="A", help="What is chosen; once for each choice, in their order.")
    ] = (),
    input_: Annotated[
        str, Option("--input", metavar="JSON", help="What the tool is given in place of what was asked.")
    ] = "",
    json: Json = False,
) -> None:
    """Approve a permission request. One that is no longer open ends with 4 and says so."""
    decision = Decision.APPROVE_FOR_SESSION if session else Decision.APPROVE
    answer(request, decision, reply=_reply(answers, input_), json=json)


def _reply(answers: tuple[str, ...], changed: str) -> Reply | None:
    if not answers and not changed:
        return None
    return Reply(answers=answers, input=_object(changed) if changed else None)


def _object(changed: str) -> dict[str, object]:
    try:
        found = loads(changed)
    except ValueError as error:
        raise UsageError(f"--input: {error}; give a JSON object") from None
    if not isinstance(found, dict):
        raise UsageError('--input: give a JSON object, such as {"command": "ls"}')
    return found
