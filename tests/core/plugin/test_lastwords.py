"""What a program complained of before its end, on both event loops."""

from __future__ import annotations

import anyio
import anyio.lowlevel
import pytest

from relaykit.plugin.lastwords import LastWords

pytestmark = [pytest.mark.anyio, pytest.mark.parametrize("anyio_backend", ["asyncio", "trio"])]


def saying(*pieces):
    """What gives these pieces, and then says that nothing more comes."""
    left = iter(pieces)

    async def receive():
        await anyio.lowlevel.checkpoint()
        for piece in left:
            return piece
        raise anyio.EndOfStream

    return receive


async def heard(*pieces):
    words = LastWords()
    with anyio.fail_after(5):
        await words.listen(saying(*pieces))
        return await words.heard()


async def test_lines_come_without_colours_and_without_those_that_say_nothing():
    assert await heard(b"first\n\n \n\x1b[31mERROR\x1b[0m it fai", b"led\r\n\x1b[0m") == ["first", "ERROR it failed"]


async def test_a_last_line_without_an_end_is_heard():
    assert await heard(b"first\nno space left") == ["first", "no space left"]


async def test_nothing_said_is_nothing_heard():
    assert await heard() == []


async def test_only_the_last_of_much_is_kept():
    assert await heard(*(b"%d\n" % number for number in range(1000))) == [str(number) for number in range(900, 1000)]
    (line,) = await heard(*([b"x" * 65536] * 10), b"end")
    assert line == "x" * 65533 + "end"


async def test_bytes_that_are_no_text_are_heard_all_the_same():
    assert await heard(b"a\xffb\n") == ["a�b"]


async def test_a_pipe_that_stays_open_is_not_waited_for():
    words = LastWords()
    says, pipe = anyio.create_memory_object_stream[bytes](1)
    with anyio.fail_after(5):
        async with says, pipe, anyio.create_task_group() as tasks:
            tasks.start_soon(words.listen, pipe.receive, name="listen")
            await says.send(b"first\nand the re")
            await anyio.wait_all_tasks_blocked()
            assert await words.heard() == ["first", "and the re"]
            tasks.cancel_scope.cancel()
