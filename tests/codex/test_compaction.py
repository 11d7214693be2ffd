from __future__ import annotations

import anyio
import pytest

from relaykit.errors import ProviderError
from relaykit.model import Outcome, TurnEnded, TurnStarted, Whose
from relaykit_codex.conversation import Conversation
from relaykit_codex.protocol import Notification


def say(conversation, method, **more):
    return conversation.told(Notification(method, {"threadId": "thread", "turnId": "turn", **more}))


def turn(conversation, *items, status="completed"):
    """Run a turn with items of those types."""
    say(conversation, "turn/started", turn={"id": "turn"})
    for number, kind in enumerate(items):
        say(conversation, "item/completed", item={"type": kind, "id": f"item-{number}"})
    return say(conversation, "turn/completed", turn={"id": "turn", "status": status})[-1]


def test_a_turn_that_does_nothing_but_compact_is_the_compaction():
    conversation = Conversation("thread")
    assert conversation.compaction is None
    assert turn(conversation, "contextCompaction") == conversation.compaction


@pytest.mark.parametrize("items", [["userMessage", "agentMessage"], ["userMessage", "contextCompaction"], ["plan"]])
def test_a_turn_of_somebody_elses_is_no_compaction(items):
    conversation = Conversation("thread")
    turn(conversation, *items)
    assert conversation.compaction is None


def test_nor_is_one_of_ours_that_compacts_on_the_way():
    conversation = Conversation("thread")
    conversation.taken("turn", "mine")
    turn(conversation, "contextCompaction")
    assert conversation.compaction is None


def test_a_compaction_that_is_cut_off_before_its_item_is_told_is_one_nevertheless():
    conversation = Conversation("thread")
    turn(conversation, status="interrupted")
    assert conversation.compaction.outcome is Outcome.INTERRUPTED


@pytest.mark.anyio
@pytest.mark.live
@pytest.mark.parametrize("anyio_backend", ["asyncio"])
async def test_a_compaction_that_is_interrupted_is_an_error_and_leaves_the_session_usable(codex):
    held = {"compact_prompt": "gate:never-opened:a summary that stops in the middle of it"}
    faults = []

    async def compact(session):
        try:
            await session.compact()
        except ProviderError as error:
            faults.append(error.fault)

    async with codex.open(options={"config": held}) as talk, anyio.create_task_group() as tasks:
        await talk.turn("say:remember this")
        tasks.start_soon(compact, talk.session)
        await talk.until(TurnStarted)
        await talk.session.interrupt()
        assert (await talk.until(TurnEnded)).outcome is Outcome.INTERRUPTED
        assert (await talk.turn("say:still here")).text == "still here"
    assert [(fault.whose, fault.message) for fault in faults] == [(Whose.TURN, "the compaction was interrupted")]
