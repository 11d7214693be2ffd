"""The routes of dead letters: what an agent's endpoint did not take."""

from __future__ import annotations

from typing import TYPE_CHECKING

from relaykit_signaldock.dock import schemas, shapes
from relaykit_signaldock.dock.envelope import good, missing
from relaykit_signaldock.dock.schemas import described, many, record

if TYPE_CHECKING:
    from starlette.responses import Response

    from relaykit_signaldock.dock.call import Call

_LETTER = record(
    {"messageId": schemas.TEXT, "attempts": schemas.COUNT, "reason": schemas.TEXT, "diedAt": schemas.MOMENT}
)


@described(record({"deadLetters": many(_LETTER)}, {"endpoint": schemas.TEXT}))
async def listed(call: Call) -> Response:
    """List what an agent's endpoint did not take; it waits to be polled all the same."""
    agent = call.own()
    rows = [
        {
            "messageId": letter.message,
            "attempts": letter.attempts,
            "reason": letter.reason,
            "diedAt": shapes.moment(letter.at),
        }
        for letter in call.dock.store.dead_letters(agent.id)
    ]
    return good({"deadLetters": rows, **({"endpoint": agent.endpoint} if agent.endpoint else {})})


@described(record({"messageId": schemas.TEXT, "queued": {"const": True}}))
async def retry(call: Call) -> Response:
    """Have a dead letter posted once more, with all its attempts before it."""
    message = call.path("message")
    if not call.dock.store.unbury(call.own().id, message):
        raise missing("MESSAGE", message)
    call.dock.webhooks.look()
    return good({"messageId": message, "queued": True})
