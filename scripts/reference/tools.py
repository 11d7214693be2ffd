"""The page of the tools that agents have, and of the paths of the HTTP edge."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from relaykit.server.desk import MAX_WAIT
from relaykit.server.mcp import LAST_WITH_BATCHES
from relaykit.server.modern import SPOKEN
from relaykit.server.tools import TOOLS

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

_HEAD = f"""\
# Tools of agents, and the HTTP edge

Written by `scripts/gen_reference.py` from the code.

A relay listens when an agent's provider can use tools, on loopback and a free port, or where `relay.listen` says. Every
request bears a token as `Authorization: Bearer …`: a session's own, which its provider gets and nobody else, or the
person's, which stands in the file `token` of the home. Where a relay listens, the file `relays/relay-….json` in the home
says as `url`. [Why it is safe](../explanation/edge.md). Claude Code calls the tools over its own pipe, with the same answers.

| path | does |
|---|---|
| `POST /mcp` | the tools below, over the Model Context Protocol (streamable HTTP, JSON answers, no sessions); versions {", ".join(SPOKEN)} |
| `POST /hooks/NAME` | what a provider's hook sends: the JSON object becomes the event `note` with the name `hook.NAME` of the token's session. The answer is `{{}}`, or what the session tells it, once it does: a decision, or work |
| `GET /health` | `{{"status": "ok", "version", "relays"}}`, and `agents` to the person's token, while the relay can use its mailbox, else 503 |

Of hooks, `SubagentStart` and `SubagentStop` (with `agent_id`, `agent_type`), `PreCompact` and `PostCompact` show among the
reasons of the agent's status; all others are kept as they came, cut to 50 keys and 2,000 characters a value.

| answer | means |
|---|---|
| 400, 415 | it is nothing that the path takes; the text says what |
| 401 | no token, or one that is not good now |
| 403, 421 | a web page of elsewhere, or a name that is not this machine's |
| 408, 413 | it took longer than 20 s to come, or has more than 4 MiB (a hook: 1 MiB) |
| 429 | more than 60 requests at once or 20 a second by one token; `Retry-After` says when to try again |
| 503 | the mailbox cannot be used now |

## The tools

The sender is the agent whose token it is, and what it sends is caused by the turn that it has. Nobody sees a message
that it neither sent nor got; whom it reaches the profiles decide. A tool that refuses says why in a result with
`isError`. No tool waits longer than {MAX_WAIT:g} s. A batch, which versions until
{LAST_WITH_BATCHES} may send, is answered as one: its calls share that time, and each counts as a request.
"""


def page() -> str:
    """Return the page."""
    return "\n".join([_HEAD, *(line for tool in TOOLS for line in _tool(tool.name, tool.description, tool.schema))])


def _tool(name: str, description: str, schema: Mapping[str, Any]) -> Iterator[str]:
    yield f"### `{name}`\n\n{description}\n"
    if schema["properties"]:
        yield "| argument | type | meaning |\n|---|---|---|"
        for key, about in schema["properties"].items():
            needed = ", needed" if key in schema["required"] else ""
            yield f"| `{key}` | {about['type']}{needed} | {_meaning(about)} |"
        yield ""


def _meaning(about: Mapping[str, Any]) -> str:
    said: str = about["description"]
    words = about.get("enum", ())
    return f"{said} One of {', '.join(f'`{word}`' for word in words)}." if words else said
