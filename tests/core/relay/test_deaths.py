"""What a death counts for, and what time does meanwhile, by whether the text had been handed over."""

from __future__ import annotations

import pytest

from relaykit.model import Draft, State
from relaykit.testing.harness import World

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
