from __future__ import annotations

import anyio
import pytest

from relaykit.builtin.local import LocalTransport
from relaykit.errors import TransportError
from relaykit.testing.contexts import make_message

pytestmark = pytest.mark.anyio


async def test_a_person_is_reached_only_while_somebody_reads():
    transport = LocalTransport()
    assert not transport.reaches("user")
    with transport.subscribe("user"):
        assert transport.reaches("user")
        assert not transport.reaches("anna")
    assert not transport.reaches("user")
    with pytest.raises(TransportError, match="nobody reads user's messages"):
        await transport.send(make_message("hello"), "user")


async def test_several_subscribers_of_one_person_each_get_every_message():
    transport = LocalTransport()
    with transport.subscribe("user") as one, transport.subscribe("user") as two, anyio.fail_after(5):
        receipt = await transport.send(make_message("hello"), "user")
        assert receipt.detail == "handed to 2 subscribers in this process"
        assert [(await reader.receive()).body for reader in (one, two)] == ["hello", "hello"]


async def test_sending_never_waits_for_a_subscriber_that_does_not_read():
    transport = LocalTransport()
    with transport.subscribe("user") as messages, anyio.fail_after(5):
        for number in range(1000):
            await transport.send(make_message(str(number)), "user")
        assert messages.statistics().current_buffer_used == 1000
