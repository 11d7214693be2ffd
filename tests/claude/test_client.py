"""The connection to a running program, which here is one that says back what it hears."""

from __future__ import annotations

from pathlib import Path

import anyio
import pytest

from relaykit.errors import ProviderError
from relaykit.relay.children.processes import RelayProcesses
from relaykit_claude.client import Client, Heard
from relaykit_claude.protocol import Told

pytestmark = pytest.mark.anyio

SECONDS = 20.0
LONG = "x" * 300_000
"""More than a pipe holds."""


async def test_what_is_said_goes_out_whole_and_in_order_also_where_the_pipe_is_full(tmp_path: Path) -> None:
    said = ["one", LONG, "two", LONG, "three"]
    heard: list[tuple[object, object]] = []
    all_heard = anyio.Event()

    def hear(message: Heard) -> None:
        assert isinstance(message, Told)
        heard.append((message.data["uuid"], message.data["message"]["content"]))
        if len(heard) == len(said):
            all_heard.set()

    with anyio.fail_after(SECONDS):
        async with RelayProcesses(tmp_path, "boot").launch(["cat"]) as child, anyio.create_task_group() as tasks:
            client = Client(child, SECONDS)
            client.attach(hear, lambda _: None)
            for number, words in enumerate(said):
                client.say(words, str(number), "later")
            for work in (client.read, client.write, client.listen):
                tasks.start_soon(work, name=work.__name__)
            await all_heard.wait()
            tasks.cancel_scope.cancel()
    assert heard == [(str(number), words) for number, words in enumerate(said)]


async def test_what_is_said_to_a_program_that_is_gone_is_told_by_its_end(tmp_path: Path) -> None:
    with anyio.fail_after(SECONDS):
        async with RelayProcesses(tmp_path, "boot").launch(["true"]) as child, anyio.create_task_group() as tasks:
            await child.wait()
            client = Client(child, SECONDS)
            client.say("anyone there?", "1", "later")
            tasks.start_soon(client.listen, name="listen")
            await client.read()
            assert client.over is not None
            assert client.over.code == "died"
            with pytest.raises(ProviderError, match="ended with exit code 0"):
                client.say("and now?", "2", "later")


async def test_of_a_request_that_is_given_up_nothing_is_kept(tmp_path: Path) -> None:
    with anyio.fail_after(SECONDS):
        async with RelayProcesses(tmp_path, "boot").launch(["cat"]) as child:
            client = Client(child, SECONDS)
            with anyio.move_on_after(0) as given_up:
                await client.request("interrupt")
            assert given_up.cancelled_caught
            assert not client._waiting
            assert not client._connection._waiting
