"""``relaykit approve``: let an agent do what it asks for."""

from __future__ import annotations

from typing import Annotated

from relaykit.cli.calling import examples
from relaykit.cli.deciding import answer
from relaykit.cli.options import Json
from relaykit.cli.parameters import Argument, Option
from relaykit.model import Decision


@examples("relaykit approve 3a91", "relaykit approve 3a91 --session")
def approve(
    request: Annotated[str, Argument("ID", "The request's id; it may be cut short where that is plain.")],
    session: Annotated[bool, Option("--session", help="Also the like of it, until the session ends.")] = False,
    json: Json = False,
) -> None:
    """Approve a permission request. One that is no longer open ends with 4 and says so."""
    answer(request, Decision.APPROVE_FOR_SESSION if session else Decision.APPROVE, json=json)
