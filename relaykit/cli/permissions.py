"""``relaykit permissions``: the requests that wait for an answer."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

from relaykit.cli.calling import examples
from relaykit.cli.mail import mailbox
from relaykit.cli.options import Json
from relaykit.cli.output import indented, moment, painted, plain, say, say_json
from relaykit.cli.parameters import Option
from relaykit.mailbox import permissions as requests
from relaykit.model import to_json

if TYPE_CHECKING:
    from relaykit.model import PermissionRequest


@examples("relaykit permissions", "relaykit permissions --all --json")
def permissions(
    all_: Annotated[bool, Option("--all", help="Those that are closed, too.")] = False, json: Json = False
) -> None:
    """List the permission requests that wait for an answer, oldest first."""
    with mailbox() as door:
        found = door.run(requests.permissions, all=all_)
    if json:
        say_json({"permissions": [request_document(request) for request in found]})
        return
    if not found:
        say("no permission request waits" if not all_ else "there are no permission requests")
    for request in found:
        _say_request(request)


def request_document(request: PermissionRequest) -> dict[str, Any]:
    """Return a request for programs."""
    return {
        "id": request.id,
        "agent": request.agent,
        "session": request.session,
        "turn": request.question.turn,
        "action": request.question.action,
        "title": request.question.title,
        "detail": request.question.detail,
        "choices": [to_json(choice) for choice in request.question.choices],
        "input": request.question.input,
        "state": request.state.value,
        "decision": request.decision.value if request.decision else None,
        "decided_by": request.decided_by,
        "reason": request.reason,
        "reply": to_json(request.reply) if request.reply else None,
        "asked_at": request.asked_at,
        "expires_at": request.expires_at,
    }


def _say_request(request: PermissionRequest) -> None:
    question, state = request.question, request.decision or request.state
    say(painted(f"{request.id}  {request.agent} asks: {question.action}  ({state.value})", "bold"))
    say(f"    {plain(question.title)}")
    if question.detail:
        say(indented(question.detail))
    for choice in question.choices:
        more = ", several" if choice.several else ""
        say(indented(f"{choice.question} [{' | '.join(choice.options)}{more}]"))
    say(f"    asked {moment(request.asked_at)}, denied if unanswered at {moment(request.expires_at)}")
