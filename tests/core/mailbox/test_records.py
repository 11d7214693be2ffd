"""What cannot be read again is not stored: one record of a plugin's must not hide those of all others."""

from __future__ import annotations

import pytest

from relaykit.builtin.routing import AddressRouter
from relaykit.errors import RefusedError
from relaykit.model import Agent, Capabilities, Question
from relaykit.testing.clock import VirtualClock
from relaykit.testing.memory import open_memory_mailbox

pytestmark = pytest.mark.anyio


async def test_a_record_with_a_value_of_another_type_is_refused_and_named():
    async with open_memory_mailbox(VirtualClock(), routers=[AddressRouter()]) as mailbox:
        good = Agent(id="a", provider="echo", cwd="/")
        claim = await mailbox.claim(good, "relay")
        with pytest.raises(RefusedError, match=r"Agent: Expected .* at `\$\.able\.effort`"):
            await mailbox.describe(Agent(id="a", provider="echo", cwd="/", able=Capabilities(effort=3)), claim.epoch)
        with pytest.raises(RefusedError, match=r"Question: Expected `str`, got `null` - at `\$\.title`"):
            await mailbox.ask("a", claim.epoch, "s", Question(key="k", action="tool", title=None), expires_in=60)
        assert [entry.agent for entry in await mailbox.agents()] == [good]
        assert await mailbox.permissions() == []
