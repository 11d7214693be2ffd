"""A relay inside a program: run an agent, watch it, send to it, read its answer. ``python embed.py [HOME]``."""

# ruff: noqa: T201 - it shows what it found

# -- start embed --
from __future__ import annotations

import sys
from pathlib import Path

import anyio

import relaykit.relay
from relaykit.config import AgentConfig, Config
from relaykit.model import Event, TurnEnded
from relaykit.relay import Relay


async def ask(relay: Relay, agent: str, text: str) -> None:
    """Send a message, wait for the answer, and show every step on its way."""
    accepted = await relay.send(agent, text)
    for reply in await relay.wait(accepted.message.id, seconds=60):
        print(f"{reply.sender}: {reply.body}")
    trace = await relay.trace(accepted.message.id)
    for step in trace.deliveries[0].steps:
        print(f"  {step.state} {step.note}".rstrip())


async def main(home: Path) -> None:
    """Run one agent that says every text again; end when it has answered."""
    helper = AgentConfig(id="helper", provider="echo", cwd=Path.cwd())
    config = Config(home=home, agents=(helper,))
    async with relaykit.relay.open(config) as relay, relay.subscribe(agent="helper") as events:
        await relay.ready("helper")
        await ask(relay, "helper", "Is it safe to merge?")
        async for item in events:  # an event, or the gap in place of events that came too quickly
            if isinstance(item, Event) and isinstance(item.what, TurnEnded):
                print(f"its turn {item.what.outcome}, event {item.number} of session {item.session[:8]}")
                break


if __name__ == "__main__":
    anyio.run(main, Path(sys.argv[1] if len(sys.argv) > 1 else "embed-home"))
# -- end embed --
