"""Real relays that are killed at any moment: each message is answered, and each once."""

from __future__ import annotations

import random
from collections import Counter

import pytest

from relaykit.builtin.credential_file import CredentialFile
from relaykit.model import Credential, Secret
from relaykit.testing.program import Program

MESSAGES = 60
KILLS = 6
PATIENCE = 90.0
"""Seconds of one life: real processes, on a machine that does other things, too."""
CONFIGURATION = """
[credentials]
use = "file"

[agents.bob]
provider = "echo"
on_interrupted = "redeliver"

[transports.dock]
use = "signaldock"
poll_seconds = 0.1
"""


@pytest.fixture
def program(tmp_path, dock) -> Program:
    program = Program(home=tmp_path / "home", cwd=tmp_path, env={"XDG_CONFIG_HOME": str(tmp_path / "config")})
    (tmp_path / "relaykit.toml").write_text(CONFIGURATION)
    (tmp_path / "home" / "credentials").mkdir(parents=True, mode=0o700)
    record = Credential(
        secret=Secret("sk_live_bob"), kind="signaldock", fields={"agentId": "bob", "apiBaseUrl": dock.url}
    )
    CredentialFile(tmp_path / "home" / "credentials").change("dock", lambda _: record)
    return program


@pytest.mark.parity("CR-1", "CR-4", "N-2")
@pytest.mark.faults
@pytest.mark.anyio
async def test_whatever_is_killed_every_message_is_answered_once(program, dock):
    moments = random.Random(7)
    for number in range(1, MESSAGES + 1):
        # One conversation each: of one thread beyond a transport only so many automatic answers go out in an hour.
        dock.tell(f"number {number}", stream=False, conversationId=f"c-{number}")
    for _ in range(KILLS):
        taken = len(dock.acked) + len(dock.posted)
        goal = min(taken + moments.randint(1, 15), 2 * MESSAGES - 1)
        with program.start("run") as process:
            await dock.until(lambda goal=goal: len(dock.acked) + len(dock.posted) >= goal, PATIENCE)
            process.kill()
    with program.start("run", "--json") as process:
        await dock.until(lambda: len(dock.posted) >= MESSAGES and len(dock.acked) == MESSAGES, PATIENCE)
        process.terminate()
        out, err = process.communicate(timeout=30)
    answers = Counter(row["replyTo"] for row in dock.posted)
    assert answers == {f"m{number}": 1 for number in range(1, MESSAGES + 1)}
    told = {row["content"] for row in dock.posted}
    # What a death cut off twice is not tried for ever; its sender is told instead.
    assert len(told & {f"echo: number {number}" for number in range(1, MESSAGES + 1)}) >= MESSAGES - KILLS
    assert "sk_live" not in out + err
