"""The two ways in which one task wakes another, on both event loops."""

from __future__ import annotations

import anyio
import pytest

from relaykit.plugin import Channel
from relaykit.wakeups import AutoResetEvent

pytestmark = [pytest.mark.anyio, pytest.mark.parametrize("anyio_backend", ["asyncio", "trio"])]


async def test_what_was_set_while_nobody_waited_wakes_one_wait():
    event = AutoResetEvent()
    event.set()
    event.set()
    with anyio.fail_after(5):
        await event.wait()
    assert not event.is_set()
    with anyio.move_on_after(0) as scope:
        await event.wait()
    assert scope.cancelled_caught


async def test_who_waits_is_woken_and_may_wait_again():
    event, woken = AutoResetEvent(), []

    async def wait():
        for place in range(3):
            await event.wait()
            woken.append(place)

    with anyio.fail_after(5):
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(wait, name="wait")
            for place in range(3):
                await anyio.wait_all_tasks_blocked()
                assert woken == list(range(place))
                event.set()
                event.set()


async def test_a_wait_that_is_cancelled_as_it_is_set_takes_nothing_away():
    event = AutoResetEvent()
    with anyio.fail_after(5):
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(event.wait, name="wait")
            await anyio.wait_all_tasks_blocked()
            tasks.cancel_scope.cancel()
            event.set()
        assert event.is_set()
        await event.wait()


async def test_a_second_task_is_told_that_one_waits_already():
    event = AutoResetEvent()
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(event.wait, name="wait")
        await anyio.wait_all_tasks_blocked()
        with pytest.raises(RuntimeError, match="another task waits"):
            await event.wait()
        tasks.cancel_scope.cancel()


async def test_a_channel_gives_everything_in_order_and_ends_when_it_is_closed_and_empty():
    channel, read = Channel[int](), []

    async def take():
        read.extend([item async for item in channel])

    with anyio.fail_after(5):
        async with anyio.create_task_group() as tasks:
            channel.send(1)
            tasks.start_soon(take, name="take")
            await anyio.wait_all_tasks_blocked()
            assert len(channel) == 0
            with channel:
                channel.send(2)
                channel.send(3)
    assert read == [1, 2, 3]
    with pytest.raises(anyio.EndOfStream):
        await channel.receive()


async def test_a_channel_says_what_it_has_without_waiting():
    channel = Channel[int]()
    with pytest.raises(anyio.WouldBlock):
        channel.receive_nowait()
    channel.send(1)
    channel.close()
    assert channel.receive_nowait() == 1
    with pytest.raises(anyio.EndOfStream):
        channel.receive_nowait()
    with pytest.raises(anyio.ClosedResourceError):
        channel.send(2)


async def test_what_is_sent_to_a_reader_that_is_cancelled_stays():
    channel = Channel[int]()
    with anyio.fail_after(5):
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(channel.receive, name="receive")
            await anyio.wait_all_tasks_blocked()
            tasks.cancel_scope.cancel()
            channel.send(1)
        assert await channel.receive() == 1


async def test_a_channel_that_feeds_a_function_calls_it_where_an_item_is_put_in():
    channel, read = Channel[int](), []
    channel.send(1)
    with anyio.fail_after(5):
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(channel.feed, read.append, name="feed")
            await anyio.wait_all_tasks_blocked()
            channel.send(2)
            assert read == [1, 2]
            channel.close()


async def test_what_the_function_raises_is_its_own_and_not_the_senders():
    channel = Channel[int]()

    def fail(item):
        raise ZeroDivisionError(item)

    with anyio.fail_after(5):
        async with anyio.create_task_group() as tasks:

            async def feed():
                with pytest.raises(ZeroDivisionError, match="1"):
                    await channel.feed(fail)

            tasks.start_soon(feed, name="feed")
            await anyio.wait_all_tasks_blocked()
            channel.send(1)
            channel.send(2)
        channel.close()
        read = []
        await channel.feed(read.append)
        assert read == [2], "what it was given is gone, what it was not is there"


async def test_a_channel_whose_feeding_is_given_up_keeps_what_comes():
    channel, read = Channel[int](), []
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(channel.feed, read.append, name="feed")
        await anyio.wait_all_tasks_blocked()
        tasks.cancel_scope.cancel()
    channel.send(1)
    assert (read, channel.receive_nowait()) == ([], 1)
