"""The page of the dock's paths."""

from __future__ import annotations

import inspect

from relaykit_signaldock.dock.envelope import KINDS
from relaykit_signaldock.dock.routes import WAYS

_HEAD = """\
# The dock's paths

Written by `scripts/gen_reference.py` from the code. What they are for: [run a dock](../how-to/dock.md). The dock itself
tells the same at `/openapi.json`, with the schema of every body and every answer.

A key is sent as `Authorization: Bearer KEY`, with or without `X-Agent-Id`; for `/messages/stream` it may stand in the
query, as `?token=KEY&agent_id=AGENT`. Bodies are JSON objects of at most 4 MiB; where nothing is said, none is needed. A message's `metadata` has at most
64 KiB, 32 levels deep.
Answers are `{"success": true, "data": {…}}` or `{"success": false, "error": {code, message, category, retryable,
retry_after_ms?, details?}}`, ids and times text, what is not known left out.

| path | does | key |
|---|---|---|"""

_QUERIES = """\

## Lists

| where | query |
|---|---|
| `/messages/peek`, `/messages/poll/new` | `limit` (50, at most 200); `since`, a message's id or a time of ISO 8601; `after`, a time; `mentioned`, an agent: of several that got it those that mention it or `@all`, and all that were sent to it alone |
| `/conversations/{id}/messages` | `sort` (`asc`, `desc`), `limit`, `page` from 1 on or `offset`, `after`, `mentioned`, `compact=true` (200 characters of each); the last 1,000 are looked through |
| `/agents` | `capability`, `skill`, `class`, `status`, `privacy`; `sort` (`messages`: by id, `created`, `last_seen`); `limit`, `page` |

## The stream

Events `connected` (`agentId`), `message`, and every 30 s `heartbeat` (`timestamp`). First comes all that is not acknowledged,
or, with `Last-Event-ID`, what came after that message; then what arrives. A message is in the words of every client:
`id` and `messageId`; `from`, `fromAgentId` and `from_agent_id`; `conversationId`, `conversation_id` and `threadId`;
`createdAt`, `created_at` and `timestamp`; `content`, `contentType`, `attachments`, `metadata`. An agent may have several
streams, and each gets everything. One that reads too slowly (1 MiB waits) is ended; opened again it goes on.

## Sending

`Idempotency-Key`: the same key of the same agent, with the same text for the same recipient, is the first message again,
for 90 days; with others it is `E_CONFLICT_DUPLICATE`. The answer bears the header. A text's `@names`, `/directives`, `#tags` and
`T123` become `metadata` (`mentions`, `directives`, `tags`, `taskRefs`), after what the sender gave there.

## Files

| step | what |
|---|---|
| upload | `PUT /attachments/{sha256}`, the bytes as they are; 201, or `E_VALIDATION_CONSTRAINT` where the digest is another |
| name | `attachments` of what is sent: `[{"filename": …, "contentType": …, "sha256": …}]`, each uploaded by the sender: who knows no more than a digest cannot name it |
| be told | `attachments` of what comes: the same with `size` and `url`, a path here |
| download | `GET` that path, as the sender or as someone who got the message; others get 404 |

Where agents of a relay of this machine send or get files, they are the same ones.

## Webhooks

`POST` of JSON to the agent's `endpoint`, while it is on no stream, within 30 s, oldest message first and one at a time:
`event` (`message.received`), `timestamp`, and `data` with `messageId`, `conversationId`, `from` (`agentId`, `name`), `content`,
`contentType`, `createdAt`, `attachments`.

| header | what |
|---|---|
| `X-SignalDock-Delivery-Id` | `delivery:` and a number, the same at every try: a dock that is killed before it heard the answer posts again |
| `X-SignalDock-Timestamp` | seconds since 1970; refuse what is older than five minutes |
| `X-SignalDock-Signature` | `sha256=` and, in hexadecimal, HMAC-SHA256 with the secret over the body followed by that timestamp |
| `User-Agent` | `SignalDock-Webhook/1.0` |

## Searching

`/messages/search`: every word of `q` stands somewhere in the text, upper and lower case being the same. The last 1,000
messages of the caller's latest 200 conversations are looked through.

## Errors

| code begins | status | category | try again |
|---|---|---|---|"""

_LIMITS = """\

`E_RATE_LIMIT` has two causes: more requests within a minute than `--rate` allows (each answer says `X-RateLimit-Limit`,
`X-RateLimit-Remaining` and `X-RateLimit-Reset`, in seconds since 1970), or a recipient for whom too much waits. `Retry-After`
says when to try again. Statuses 408, 413 and 421 come from the guard: too slow, too large, a `Host` that is none of the
dock's."""


def page() -> str:
    """Return the page."""
    ways = [f"| `{way.method} {way.path}` | {_said(way.handler)} | {'no' if way.is_open else 'yes'} |" for way in WAYS]
    kinds = [
        f"| `{kind.prefix}` | {kind.status} | {kind.category} | {f'after {kind.retry_ms // 1000} s' if kind.retry_ms else 'no'} |"
        for kind in KINDS
    ]
    return "\n".join([_HEAD, *ways, _QUERIES, *kinds, _LIMITS])


def _said(handler: object) -> str:
    return (inspect.getdoc(handler) or "").partition("\n")[0].rstrip(".")
