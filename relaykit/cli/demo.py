"""``relaykit demo``: the main job, small and real: an agent asks another one, and every step is shown."""

from __future__ import annotations

import shutil
from pathlib import Path
from tempfile import mkdtemp
from typing import Annotated

from relaykit.cli.calling import examples
from relaykit.cli.output import painted, say
from relaykit.cli.parameters import Option
from relaykit.cli.showing import Stage
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


@examples("relaykit demo", "relaykit demo --keep")
def demo(
    keep: Annotated[bool, Option("--keep", help="Keep the home, to look around in it afterwards.")] = False,
) -> None:
    """See an agent ask another one, in a home of its own, with a real relay; no account is needed.

    A message goes to the agent asker. What it runs is a command that itself sends to the agent echo and waits for the
    answer. Then the trace of each message is shown. It takes a few seconds and leaves nothing behind.
    """
    home = Path(mkdtemp(prefix="relaykit-demo-"))
    try:
        _play(Stage(home))
    finally:
        if keep:
            say(f"\nThe home is kept. Look around: relaykit --home {home} events")
        else:
            shutil.rmtree(home, ignore_errors=True)


def _play(stage: Stage) -> None:
    asked = new_id()
    stage.write_config(_CONFIG, command=stage.command("send", "echo", "--wait", "20", "--id", asked))
    _head(f"1. A relay with two agents starts, its mailbox and sessions in {stage.home}.")
    with stage.relay(agents=2):
        _head("2. You send to the agent asker and wait. It is a command: it sends your text on to the agent echo.")
        sent = stage.run("send", "asker", "Hello, is anybody there?", "--wait", "30", "--json")
        answer = stage.document(sent)
        say(f"   asker answers: {answer['reply']}")
        _head("3. Your message, from its acceptance to its end:")
        stage.show("trace", answer["id"])
        _head("4. The message that the agent sent, in the course of its turn:")
        stage.show("trace", asked)
    _head("5. The relay has stopped. Nothing was lost, and every step is on record.")


def _head(text: str) -> None:
    say()
    say(painted(text, "bold"), now=True)
