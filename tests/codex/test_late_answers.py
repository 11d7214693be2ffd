"""Codex may say that it took a message only after the end of the turn that it took it for."""

from __future__ import annotations

import anyio
import pytest

from relaykit.errors import ProviderError
from relaykit.model import Mode, TurnEnded, TurnJoined, TurnStarted, Whose
from relaykit_codex import session
from relaykit_codex.conversation import Conversation
from relaykit_codex.protocol import Notification


def say(conversation, method, turn, **more):
    return conversation.told(Notification(method, {"threadId": "thread", "turn": {"id": turn, **more}}))


@pytest.mark.parametrize("begun", [True, False])
def test_a_turn_that_is_over_is_not_expected_any_more(begun):
    conversation = Conversation("thread")
    if begun:
        say(conversation, "turn/started", "one")
    say(conversation, "turn/completed", "one", status="completed")
    assert not conversation.taken("one", "late")
    assert conversation.running is None


def test_nor_is_one_that_another_has_replaced():
    conversation = Conversation("thread")
    say(conversation, "turn/started", "one")
    say(conversation, "turn/started", "two")
    assert not conversation.taken("one", "late")
    say(conversation, "turn/completed", "two", status="completed")
    assert conversation.running is None


def test_a_message_that_the_turn_has_named_was_taken():
    conversation = Conversation("thread")
    say(conversation, "turn/started", "one")
    item = {"type": "userMessage", "id": "item", "clientId": "mine"}
    conversation.told(Notification("item/completed", {"threadId": "thread", "turnId": "one", "item": item}))
    assert say(conversation, "turn/completed", "one", status="completed")[-1].submissions == ("mine",)
    assert say(conversation, "turn/completed", "one", status="completed") == [], "what ends twice ends once"
    assert conversation.taken("one", "mine")
    assert conversation.running is None


@pytest.mark.anyio
@pytest.mark.parametrize("anyio_backend", ["asyncio"])
class TestSession:
    async def test_a_message_whose_turn_is_over_was_handed_over_once(self, fake):
        async with fake.open(env=fake.told(late="seen")) as talk:
            for name in ("turn-1", "turn-2"):
                submission = await talk.send("hello")
                ended = await talk.until(TurnEnded)
                assert (ended.turn, ended.submissions) == (name, (submission,))

    async def test_one_that_the_turn_has_not_named_was_not_taken(self, fake):
        async with fake.open(env=fake.told(late="unseen")) as talk:
            with pytest.raises(ProviderError, match="ended the turn before it took the message") as error:
                await talk.send("hello")
            assert error.value.fault.whose is Whose.AGENT

    async def test_one_that_comes_too_late_for_a_turn_has_one_of_its_own(self, fake):
        async with fake.open(env=fake.told()) as talk:
            first = await talk.send("hello")
            second = await talk.send("more", Mode.JOIN)
            assert (await talk.until(TurnEnded)).submissions == (first,)
            joined = await talk.until(TurnJoined)
            assert (joined.turn, joined.submissions) == ("turn-2", (second,))

    async def test_nobody_waits_any_more_for_an_answer_that_its_caller_gave_up(self, fake):
        async with fake.open(env=fake.told(silent=["turn/interrupt"])) as talk:
            client = talk.session._client
            with anyio.CancelScope() as scope:
                scope.cancel()
                await client.request("turn/interrupt", {})
            assert client._waiting == {}
            assert await talk.send("hello")

    async def test_an_interrupt_that_codex_did_not_answer_is_asked_for_again(self, fake, monkeypatch):
        monkeypatch.setattr(session, "_ORDER_SECONDS", 0.05)
        async with fake.open(env=fake.told(silent=["turn/interrupt"])) as talk:
            await talk.send("hello")
            await talk.until(TurnStarted)
            for _ in range(2):
                with pytest.raises(ProviderError):
                    await talk.session.interrupt()
