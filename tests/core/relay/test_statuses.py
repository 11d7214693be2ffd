"""What an agent's status says it is busy with."""

from __future__ import annotations

import anyio
import pytest

from relaykit.model import (
    Block,
    BlockEnded,
    BlockKind,
    BlockStarted,
    CommandKind,
    Draft,
    StatusKind,
    TaskState,
    WorkItem,
)
from relaykit.testing.harness import World
from relaykit.testing.scripted import SECONDS

pytestmark = [pytest.mark.anyio, pytest.mark.parity("AR-7")]


async def work(world: World, *kinds: str) -> tuple[WorkItem, ...]:
    """Return the agent's work items, once they are of these kinds."""
    with anyio.fail_after(SECONDS):
        async with world.mailbox.watch() as watch:
            while True:
                [entry] = await world.mailbox.agents()
                if tuple(item.kind for item in entry.status.work) == kinds:
                    return entry.status.work
                await watch.wait()


async def test_turn_message_permission_and_subagent_are_named_while_they_last(world: World) -> None:
    async with world.relay() as relay:
        accepted = await relay.send("a", "hello")
        session = await world.provider.opened()
        turn = session.start((await session.submitted()).id)
        found = await work(world, "turn", "message")
        assert [item.id for item in found] == [turn, accepted.message.id]
        helper = Block(id="s1", kind=BlockKind.SUBAGENT, turn=turn, name="searcher")
        session.tell(BlockStarted(block=helper))
        assert (await work(world, "turn", "message", "subagent"))[-1].label == "searcher"
        session.tell(BlockEnded(block=helper))
        await work(world, "turn", "message")
        session.ask("ls")
        await work(world, "turn", "message", "permission")
        session.end(text="done")
        await world.status("a", StatusKind.IDLE)
        await work(world)


async def test_the_task_of_the_message_in_hand_is_named(world: World) -> None:
    async with world.relay():
        await world.mailbox.put(Draft(sender="user", to="a", body="red since noon", id="m", task="mend the build"))
        session = await world.provider.opened()
        session.start((await session.submitted()).id)
        found = await work(world, "turn", "message", "task")
        assert found[-1] == WorkItem(kind="task", id="m", label="mend the build")
        session.end(text="done")
        await work(world)
        (task,) = (await world.ended("m")).tasks
        assert task.state is TaskState.DONE


async def test_a_command_that_takes_its_time_is_named_while_it_lasts(world: World) -> None:
    async with world.relay() as relay:
        session = await world.provider.opened()
        session.compacting = anyio.Event()
        await relay.order("a", CommandKind.COMPACT)
        [item] = await work(world, "command")
        assert item.label == "compact"
        session.compacting.set()
        await world.status("a", StatusKind.IDLE)
