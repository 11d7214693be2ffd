"""``relaykit attach``: join an agent in its own terminal program."""

from __future__ import annotations

import json
import os
import signal
import sys
from pathlib import Path
from typing import Annotated, Any

from msgspec.structs import asdict

from relaykit.cli.calling import examples
from relaykit.cli.ordering import ordered
from relaykit.cli.output import complain, plain
from relaykit.cli.parameters import Argument
from relaykit.errors import RelaykitError, UsageError
from relaykit.model import CommandKind, CommandState
from relaykit.relay.attaching import this_process
from relaykit.relay.clock import SystemClock


@examples("relaykit attach reviewer")
def attach(agent: Annotated[str, Argument("AGENT", "The agent's id.")]) -> int:
    """Join the agent's conversation in its own terminal program; leave that, and the relay goes on.

    Where the program can join beside the relay, it does. Else the running turn may end, the relay hands the session
    over, and messages wait in the queue until the program has ended, however it ends.
    """
    if not (sys.stdin.isatty() and sys.stdout.isatty()):
        raise UsageError("relaykit attach needs a terminal: it becomes the agent's own program")
    # This process becomes that program, so it is this one that has the session as long as it lives.
    holder = this_process(SystemClock().boot_id())
    result = ordered(agent, CommandKind.ATTACH, json.dumps(asdict(holder)))
    if result.state is not CommandState.SUCCEEDED:
        complain(f"{agent} cannot be joined: {plain(result.text)}")
        return RelaykitError.exit_code
    _become(json.loads(result.text))
    return 0


def _become(terminal: dict[str, Any]) -> None:
    os.chdir(Path(terminal["cwd"]))
    # Python ignores both, and what is ignored stays so in the program.
    signal.signal(signal.SIGPIPE, signal.SIG_DFL)
    signal.signal(signal.SIGXFSZ, signal.SIG_DFL)
    os.execve(terminal["argv"][0], terminal["argv"], {**os.environ, **terminal["env"]})  # noqa: S606 - no shell is the point
