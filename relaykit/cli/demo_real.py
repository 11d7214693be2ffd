"""``relaykit demo --real``: the same conversation between the real agents that are installed and signed in."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

from relaykit.cli.output import indented, say
from relaykit.cli.showing import Stage, heading
from relaykit.config.environment import plugins_only
from relaykit.errors import RelaykitError
from relaykit.model import new_id
from relaykit.registry import PROVIDER, load
from relaykit.registry.missing import EXTRAS

if TYPE_CHECKING:
    from pathlib import Path

    from relaykit.registry import Registry

ASK = (
    "Use the tool send of relaykit once, with wait 45, to ask the agent reviewer for one sentence: which is the better "
    "name for a queue of messages between coding agents, mailbox or outbox? Then tell me in one more sentence what it said."
)
_CONFIG = """\
[agents.author]
provider = "{author}"
cwd = {{home}}
approval = "read-only"

[agents.reviewer]
provider = "{reviewer}"
cwd = {{home}}
approval = "read-only"
"""
_SECONDS = 300.0


def play_real(home: Path, ask: str) -> None:
    """Have one real agent ask another by its tool; show the answer and both traces.

    Raises:
        RelaykitError: No real agent can be started, and why.
    """
    author, reviewer = real_providers(load(only=plugins_only(os.environ)))
    stage = Stage(home, seconds=_SECONDS)
    stage.write_config(_CONFIG.format(author=author, reviewer=reviewer), command=())
    heading(
        f"1. A relay starts with two agents: author is {author}, reviewer is {reviewer}. Each has the relay's tools."
    )
    with stage.relay(agents=2):
        heading("2. You send to author and wait. It asks reviewer by its own tool.")
        sent = new_id()
        answer = stage.document(stage.run("send", "author", ask, "--id", sent, "--wait", f"{_SECONDS:g}", "--json"))
        say(indented(f"author answers: {answer['reply']}", "   "))
        heading("3. Your message, from its acceptance to its end:")
        stage.show("trace", sent)
        for question in _questions(stage):
            heading("4. What author asked reviewer, in the course of its turn:")
            stage.show("trace", question)
    heading("5. The relay has stopped, and with it both agents.")


def real_providers(registry: Registry) -> tuple[str, str]:
    """Return two providers of real agents that can be started here; one of them twice, where there is only one."""
    found, reasons = [], []
    for name in (extra for extra, kind in EXTRAS.items() if kind is PROVIDER):
        if lack := _lack(registry, name):
            reasons.append(f"{name}: {lack}")
        else:
            found.append(name)
    if not found:
        raise RelaykitError("no real agent can be started here: " + "; ".join(reasons))
    return found[0], found[-1]


def _lack(registry: Registry, name: str) -> str:
    """Return what a provider lacks on this machine; empty where it can be started."""
    component = registry.providers.get(name)
    if component is None or component.check is None:
        return f'it is not installed; pip install "relaykit[{name}]"'
    try:
        registry.offer(PROVIDER, name).look({})
    except RelaykitError as error:
        return str(error)
    return ""


def _questions(stage: Stage) -> list[str]:
    """Return the ids of what author asked reviewer."""
    items: list[dict[str, Any]] = stage.document(stage.run("inbox", "reviewer", "--all", "--json"))["items"]
    return [item["id"] for item in items if item["from"] == "author"][:1]
