"""The routes of keys: made, rotated, claimed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from relaykit_signaldock.dock import schemas
from relaykit_signaldock.dock.envelope import WireError, good
from relaykit_signaldock.dock.keys import CODE_SECONDS, digest, new_code, new_key
from relaykit_signaldock.dock.schemas import described, record
from relaykit_signaldock.dock.shapes import moment

if TYPE_CHECKING:
    from starlette.responses import Response

    from relaykit_signaldock.dock.call import Call

_CODE = {"anyOf": [schemas.body({"claimCode": schemas.TEXT}), schemas.body({"code": schemas.TEXT})]}


@described(schemas.KEY)
async def rotate(call: Call) -> Response:
    """Give an agent another key; the old one is good for a poll interval more, so that every user of it can swap."""
    return _given(call, call.own().id)


@described(schemas.KEY)
async def generate(call: Call) -> Response:
    """Give a key to an agent that has none."""
    agent = call.own().id
    if call.dock.store.has_key(agent, call.dock.clock.now()):
        raise WireError("E_CONFLICT_ALREADY_EXISTS", f"{agent} has a key; rotate it")
    return _given(call, agent)


@described(record({"claimCode": schemas.TEXT, "claimUrl": schemas.TEXT, "expiresAt": schemas.MOMENT}))
async def claim_code(call: Call) -> Response:
    """Make a code by which whoever has it gets a key of the agent's, once and within a quarter of an hour."""
    agent, code = call.own().id, new_code()
    until = call.dock.clock.now() + CODE_SECONDS
    call.dock.store.add_code(agent, digest(code), until)
    base = call.dock.settings.base_url or str(call.request.base_url).rstrip("/")
    return good({"claimCode": code, "claimUrl": f"{base}/agents/{agent}/bootstrap-key", "expiresAt": moment(until)})


@described(schemas.KEY, takes=_CODE)
async def bootstrap(call: Call) -> Response:
    """Get a key for a claim code."""
    body = await call.body()
    code = body.text("claimCode" if body.has("claimCode") else "code")
    key, now = new_key(), call.dock.clock.now()
    old_until = now + call.dock.settings.overlap_seconds
    if not call.dock.store.claim(call.path(), digest(code.strip().upper()), digest(key), now, old_until):
        raise WireError("E_AUTH_INVALID_TOKEN", "that claim code is not good, or no longer")
    return good({"agentId": call.path(), "apiKey": key})


def _given(call: Call, agent: str) -> Response:
    key, now = new_key(), call.dock.clock.now()
    until = now + call.dock.settings.overlap_seconds
    call.dock.store.replace_keys(agent, digest(key), now, until, reserve=True)
    return good({"agentId": agent, "apiKey": key, "oldKeyExpiresAt": moment(until)})
