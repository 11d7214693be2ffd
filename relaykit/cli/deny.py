"""``relaykit deny``: refuse what an agent asks for."""

from __future__ import annotations

from typing import Annotated

from relaykit.cli.calling import examples
from relaykit.cli.deciding import answer
from relaykit.cli.options import Json
from relaykit.cli.parameters import Argument, Option
from relaykit.model import Decision


@examples('relaykit deny 3a91 --reason "Not on this branch."', "relaykit deny 3a91 --abort")
def deny(
    request: Annotated[str, Argument("ID", "The request's id; it may be cut short where that is plain.")],
    reason: Annotated[str, Option("--reason", metavar="R", help="Why; the agent is told.")] = "",
    abort: Annotated[bool, Option("--abort", help="Interrupt the turn, too.")] = False,
    json: Json = False,
) -> None:
    """Deny a permission request. One that is no longer open ends with 4 and says so."""
    answer(request, Decision.ABORT if abort else Decision.DENY, reason=reason, json=json)
