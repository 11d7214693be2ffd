"""``relaykit run``: run agents until stopped."""

from __future__ import annotations

import gc
import os
import sys
from pathlib import Path
from typing import Annotated

from relaykit.cli.adhoc import RunOptions
from relaykit.cli.calling import examples
from relaykit.cli.configured import configured
from relaykit.cli.parameters import Option, Rest

_PLAIN = ("dumb", "unknown")
"""Terminals in which nothing is drawn."""


def _text(flag: str, metavar: str, help: str) -> Option:
    return Option(flag, metavar=metavar, help=help)


@examples(
    "relaykit run --provider codex --agent reviewer --tag review",
    "relaykit run --config relaykit.toml",
    "relaykit run --agent reviewer --approval auto",
    'relaykit run --provider codex --prompt "Look at the open issues." --json',
)
def run(
    *,
    arguments: Annotated[tuple[str, ...], Rest("PROVIDER ARGS")] = (),
    provider: Annotated[str | None, _text("--provider", "P", "Run one ad hoc agent with this provider.")] = None,
    agent: Annotated[str | None, _text("--agent", "NAME", "Its name, or the one configured agent to run.")] = None,
    config: Annotated[
        Path | None, _text("--config", "F", "The file; ./relaykit.toml or the user's by default.")
    ] = None,
    cwd: Annotated[str | None, _text("--cwd", "D", "Its working directory.")] = None,
    prompt: Annotated[str | None, _text("--prompt", "T", "Put to it at this start, once it is ready.")] = None,
    approval: Annotated[str | None, _text("--approval", "M", "When it asks: ask, auto, read-only or deny.")] = None,
    label: Annotated[str | None, _text("--label", "L", "What label: addresses it by.")] = None,
    tag: Annotated[tuple[str, ...], _text("--tag", "T", "What tag: addresses it by; may come again.")] = (),
    cap: Annotated[tuple[str, ...], _text("--cap", "C", "What cap: addresses it by; may come again.")] = (),
    model: Annotated[str | None, _text("--model", "M", "The provider's model.")] = None,
    effort: Annotated[str | None, _text("--effort", "E", "How hard the model thinks.")] = None,
    profile: Annotated[str | None, _text("--profile", "P", "Of the configuration, or a directory beside it.")] = None,
    append_system_prompt: Annotated[
        str | None, _text("--append-system-prompt", "T", "Added to the provider's.")
    ] = None,
    transport: Annotated[str | None, _text("--transport", "NAME=URL", "One beside the configured ones.")] = None,
    credential: Annotated[
        str | None, _text("--credential", "NAME", "What the agent, or that transport, signs in with.")
    ] = None,
    option: Annotated[tuple[str, ...], _text("--option", "K=V", "A provider's own option; may come again.")] = (),
    listen: Annotated[str | None, _text("--listen", "H:P", "Where agents' tools reach the relay; auto or off.")] = None,
    headless: Annotated[bool, Option("--headless", help="Show and ask nothing on the terminal, only lines.")] = False,
    json: Annotated[bool, Option("--json", help="Print JSON lines.")] = False,
) -> int:
    """Run the configured agents, or one ad hoc agent, until stopped.

    In a terminal it shows what the agents do, and a key answers what they ask. Elsewhere, and with `--headless` or
    `--json`, it prints one line for each agent that is ready. Ctrl-C and SIGTERM stop in good order: running turns may end, then
    they are interrupted and, where their provider keeps a history, taken up again at the next start. A second stops at once.
    """
    said = RunOptions(
        provider=provider,
        agent=agent,
        cwd=cwd,
        prompt=prompt,
        approval=approval,
        label=label,
        tags=tag,
        capabilities=cap,
        model=model,
        effort=effort,
        profile=profile,
        append_system_prompt=append_system_prompt,
        transport=transport,
        credential=credential,
        options=option,
        arguments=arguments,
    )
    gc.disable()  # still: until the relay is open, nearly everything is made to stay
    setting, registry = configured(config, said, listen)
    from relaykit.cli.serving import serve  # noqa: PLC0415 - the relay is not needed where the configuration is wrong

    return serve(
        setting, registry, json=json, give_up=provider is not None, live=not (headless or json) and _in_terminal()
    )


def _in_terminal() -> bool:
    return sys.stdin.isatty() and sys.stdout.isatty() and os.environ.get("TERM", "").lower() not in _PLAIN
