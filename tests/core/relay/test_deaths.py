"""What a death counts for, and what time does meanwhile, by whether the text had been handed over."""

from __future__ import annotations

import anyio
import pytest

from relaykit.errors import ProviderError
from relaykit.model import Draft, Fault, State, StatusKind, Whose
from relaykit.testing.harness import World
from relaykit.testing.scripted import ScriptedSession

pytestmark = pytest.mark.anyio


@pytest.mark.parametrize(("seconds", "state"), [(3600, State.EXPIRED), (30, State.ANSWERED)])
async def test_what_was_not_seen_when_its_relay_died_expires_as_in_the_queue(
    world: World, seconds: int, state: State
) -> None:
    async with world.doomed_relay():
        first = await world.provider.opened()
        draft = Draft(sender="user", to="a", body="now or never", expires_at=world.clock.now() + 60)
        message = (await world.mailbox.put(draft)).message.id
        await first.submitted()
    await world.clock.advance(seconds)
    async with world.relay():
        session = await world.provider.opened(2)
        if state is State.ANSWERED:
            session.answer("in time", (await session.submitted()).id)
        assert (await world.ended(message)).deliveries[0].state is state
        assert len(session.submissions) == (state is State.ANSWERED)


async def test_relays_that_die_before_they_hand_it_over_do_not_make_it_dead(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = ScriptedSession.submit

    async def never(*_: object) -> None:
        await anyio.sleep_forever()

    monkeypatch.setattr(ScriptedSession, "submit", never)
    message = ""
    for attempt in (1, 2):
        async with world.doomed_relay() as relay:
            message = message or (await relay.send("a", "hello")).message.id
            await world.provider.opened(attempt)
            await world.until(message, lambda delivery, attempt=attempt: delivery.attempt == attempt)
    monkeypatch.setattr(ScriptedSession, "submit", real)
    async with world.relay():
        session = await world.provider.opened(3)
        session.answer("hi", (await session.submitted()).id)
        (delivery,) = (await world.ended(message)).deliveries
    assert (delivery.state, delivery.attempt, delivery.deaths) == (State.ANSWERED, 3, 0)


@pytest.mark.parametrize(
    "death",
    [
        ProviderError(Fault(whose=Whose.PROCESS, code="died", message="the process died")),
        BrokenPipeError("of a provider that says nothing better"),
    ],
)
async def test_a_text_by_which_two_processes_die_before_they_write_it_down_is_dead(
    world: World, monkeypatch: pytest.MonkeyPatch, death: Exception
) -> None:
    async def dies(*_: object) -> None:
        raise death

    monkeypatch.setattr(ScriptedSession, "submit", dies)
    async with world.relay() as relay:
        message = (await relay.send("a", "poison")).message.id
        await world.status("a", StatusKind.ERROR, "restarting")
        await world.clock.advance(2)
        await world.status("a", StatusKind.ERROR, "restarting")
        await world.clock.advance(2)
        trace = await world.ended(message)
    assert (trace.deliveries[0].state, trace.deliveries[0].deaths) == (State.DEAD, 2)
