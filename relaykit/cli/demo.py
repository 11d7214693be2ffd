"""``relaykit demo``: the main job, small and real: an agent asks another one, and every step is shown."""

from __future__ import annotations

import shutil
import signal
from pathlib import Path
from tempfile import mkdtemp
from typing import Annotated, NoReturn

from relaykit.cli.calling import examples
from relaykit.cli.output import say
from relaykit.cli.parameters import Option
from relaykit.cli.showing import Stage, heading
from relaykit.errors import UsageError
from relaykit.model import new_id

_CONFIG = """\
[agents.asker]
provider = "exec"
cwd = {home}
[agents.asker.options]
command = {command}

[agents.echo]
provider = "echo"
cwd = {home}
"""


@examples("relaykit demo", "relaykit demo --keep", "relaykit demo --real")
def demo(
    real: Annotated[
        bool, Option("--real", help="With the real agents that are installed and signed in; costs two or three turns.")
    ] = False,
    ask: Annotated[
        str | None, Option("--ask", metavar="TEXT", help="With --real, what the first agent is sent.")
    ] = None,
    keep: Annotated[bool, Option("--keep", help="Keep the home, to look around in it afterwards.")] = False,
) -> None:
    """See an agent ask another one, in a home of its own, with a real relay; no account is needed.

    A message goes to the agent asker. What it runs is a command that itself sends to the agent echo and waits for the
    answer. Then the trace of each message is shown. It takes a few seconds and leaves nothing behind.

    With --real the two are the coding agents of this machine, one asking the other by its tool, in directories where
    they may only read.
    """
    if ask is not None and not real:
        raise UsageError("--ask says what a real agent is sent; it goes with --real")
    home = Path(mkdtemp(prefix="relaykit-demo-"))
    signal.signal(signal.SIGTERM, _leave)
    try:
        _play(Stage(home)) if not real else _play_real(home, ask)
    finally:
        if keep:
            say(f"\nThe home is kept. Look around: relaykit --home {home} events")
        else:
            shutil.rmtree(home, ignore_errors=True)


def _leave(number: int, _: object) -> NoReturn:
    """End as by Ctrl-C: the relay stops, and nothing is left behind."""
    raise SystemExit(128 + number)


def _play_real(home: Path, ask: str | None) -> None:
    from relaykit.cli.demo_real import ASK, play_real  # noqa: PLC0415 - it loads the plugins, which the other needs not

    play_real(home, ask or ASK)


def _play(stage: Stage) -> None:
    asked = new_id()
    stage.write_config(_CONFIG, command=stage.command("send", "echo", "--wait", "20", "--id", asked))
    heading(f"1. A relay with two agents starts, its mailbox and sessions in {stage.home}.")
    with stage.relay(agents=2):
        heading("2. You send to the agent asker and wait. It is a command: it sends your text on to the agent echo.")
        sent = stage.run("send", "asker", "Hello, is anybody there?", "--wait", "30", "--json")
        answer = stage.document(sent)
        say(f"   asker answers: {answer['reply']}")
        heading("3. Your message, from its acceptance to its end:")
        stage.show("trace", answer["id"])
        heading("4. The message that the agent sent, in the course of its turn:")
        stage.show("trace", asked)
    heading("5. The relay has stopped. Nothing was lost, and every step is on record.")
