"""The commands to an agent's life, from ``interrupt`` to ``kill``, and what is said to it beside its messages."""

from __future__ import annotations

from typing import Annotated

from relaykit.cli.calling import examples
from relaykit.cli.options import Json
from relaykit.cli.ordering import give
from relaykit.cli.parameters import Argument, Option
from relaykit.cli.text import given_text
from relaykit.model import DRAIN, CommandKind

_Agent = Annotated[str, Argument("AGENT", "The agent's id.")]
_Text = Annotated[str | None, Argument("TEXT", "What it is told; - or none reads standard input.")]
_NoWait = Annotated[bool, Option("--no-wait", help="Do not wait for it to end; print its id.")]

_Drain = Annotated[bool, Option("--drain", help="Wait for the running turn however long it takes.")]


@examples("relaykit interrupt reviewer")
def interrupt(agent: _Agent, no_wait: _NoWait = False, json: Json = False) -> int:
    """Interrupt the agent's running turn; the session stays, and the queue goes on."""
    return give(agent, CommandKind.INTERRUPT, wait=not no_wait, json=json)


@examples("relaykit compact reviewer")
def compact(agent: _Agent, no_wait: _NoWait = False, json: Json = False) -> int:
    """Have the agent's provider summarise what was said, so that its context becomes smaller."""
    return give(agent, CommandKind.COMPACT, wait=not no_wait, json=json)


@examples("relaykit clear reviewer")
def clear(agent: _Agent, no_wait: _NoWait = False, json: Json = False) -> int:
    """End the agent's session and have it begin a new one: the same id, the same queue, nothing remembered.

    It waits for the turn that runs; an agent that does not come to its end within a minute keeps its session.
    """
    return give(agent, CommandKind.CLEAR, wait=not no_wait, json=json)


@examples("relaykit model reviewer claude-sonnet-5-5")
def model(
    agent: _Agent,
    name: Annotated[str, Argument("MODEL", "The model, as the provider calls it.")],
    no_wait: _NoWait = False,
    json: Json = False,
) -> int:
    """Have the agent go on with another model until it is restarted by order or its relay ends."""
    return give(agent, CommandKind.MODEL, text=name, wait=not no_wait, json=json)


@examples("relaykit permission-mode reviewer plan")
def permission_mode(
    agent: _Agent,
    mode: Annotated[str, Argument("MODE", "The mode, as the provider calls it.")],
    no_wait: _NoWait = False,
    json: Json = False,
) -> int:
    """Have the agent go on in another of its provider's permission modes until it is restarted by order or its relay ends.

    Never one that asks for nothing: what is done without asking is the agent's `approval`.
    """
    return give(agent, CommandKind.PERMISSION_MODE, text=mode, wait=not no_wait, json=json)


@examples("relaykit restart reviewer")
def restart(agent: _Agent, no_wait: _NoWait = False, json: Json = False) -> int:
    """Restart the agent's provider in place: the same id, the same session, the same queue.

    A model or permission mode that was ordered meanwhile is forgotten.
    """
    return give(agent, CommandKind.RESTART, wait=not no_wait, json=json)


@examples("relaykit reconnect reviewer")
def reconnect(agent: _Agent, no_wait: _NoWait = False, json: Json = False) -> int:
    """Join the agent's session anew: the same id, the same session, the same queue.

    Of a detached process only the connection is dropped: it goes on, with the turn that it is in. One that ends with
    the relay is started again in place, as by restart.
    """
    return give(agent, CommandKind.RECONNECT, wait=not no_wait, json=json)


@examples("relaykit stop reviewer", "relaykit stop reviewer --drain --no-wait")
def stop(agent: _Agent, drain: _Drain = False, no_wait: _NoWait = False, json: Json = False) -> int:
    """Stop the agent in good order: its turn may end, then it is interrupted; its queue stays for the next start."""
    return give(agent, CommandKind.STOP, text=DRAIN if drain else "", wait=not no_wait, json=json)


@examples("relaykit kill reviewer")
def kill(agent: _Agent, no_wait: _NoWait = False, json: Json = False) -> int:
    """Stop the agent at once, without waiting for its turn; its queue stays for the next start."""
    return give(agent, CommandKind.KILL, wait=not no_wait, json=json)


@examples('relaykit steer reviewer "Leave the tests alone."')
def steer(agent: _Agent, text: _Text = None, no_wait: _NoWait = False, json: Json = False) -> int:
    """Tell the agent something that bears on its running turn; nothing is answered to it."""
    return give(agent, CommandKind.STEER, text=given_text(text), wait=not no_wait, json=json)


@examples('relaykit inject reviewer "The deploy key has changed."', "relaykit inject reviewer - < notes.md")
def inject(agent: _Agent, text: _Text = None, no_wait: _NoWait = False, json: Json = False) -> int:
    """Give the agent something to know; nothing is answered to it."""
    return give(agent, CommandKind.INJECT, text=given_text(text), wait=not no_wait, json=json)
