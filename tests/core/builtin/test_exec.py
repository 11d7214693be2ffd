"""Real commands, run by the provider ``exec``."""

from __future__ import annotations

import os
import signal
import sys
from contextlib import asynccontextmanager

import anyio
import pytest

from relaykit.builtin.exec_provider import open_exec
from relaykit.builtin.exec_turn import GRACE, LEFT_OPEN, Answer
from relaykit.errors import ProviderError
from relaykit.model import BlockDelta, Mode, Outcome, TurnEnded, TurnStarted, Whose
from relaykit.plugin import SessionRequest
from relaykit.relay.children.proc import process_stat, wait_exit
from relaykit.testing.clock import VirtualClock
from relaykit.testing.contexts import make_context

pytestmark = pytest.mark.anyio

PYTHON = [sys.executable, "-I", "-S", "-u", "-c"]


@asynccontextmanager
async def session(tmp_path, command, *, clock=None, request=None, **options):
    context = make_context(tmp_path, clock=clock)
    request = request or SessionRequest(agent="a", cwd=tmp_path)
    with anyio.fail_after(20):
        async with open_exec({"command": command, **options}, context) as provider, provider.session(request) as opened:
            yield opened


async def turn(opened, text="hello") -> TurnEnded:
    await opened.submit(text, "s1", Mode.OWN)
    return await ended(opened)


async def ended(opened) -> TurnEnded:
    async for event in opened.events:
        if isinstance(event, TurnEnded):
            return event
    raise AssertionError("the session is over")


async def begun(opened) -> None:
    while not isinstance(await opened.events.receive(), TurnStarted):
        pass


@pytest.mark.parametrize(
    ("said", "answer"), [("a\n", "a"), ("a\n\n", "a\n"), ("a", "a"), ("\n", ""), ("", ""), ("a\n\nb\n", "a\n\nb")]
)
async def test_the_answer_is_the_output_without_its_last_line_end(tmp_path, said, answer):
    async with session(tmp_path, ["cat"]) as opened:
        end = await turn(opened, said)
    assert (end.outcome, end.text) == (Outcome.COMPLETED, answer)


def test_a_line_end_is_held_back_until_more_follows():
    told = []
    answer = Answer("t", told.append)
    for piece in (b"a\n", b"b\n", b"\n", b"c\n"):
        answer.take(piece)
    answer.end()
    assert answer.text == "a\nb\n\nc"
    assert [event.text for event in told if isinstance(event, BlockDelta)] == ["a", "\nb", "\n", "\nc"]


async def test_characters_that_are_cut_apart_come_together_and_wrong_ones_are_replaced(tmp_path):
    program = "import sys, os; os.write(1, b'\\xc3'); sys.stdin.read(); os.write(1, b'\\xa9 \\xff')"
    async with session(tmp_path, [*PYTHON, program]) as opened:
        assert (await turn(opened)).text == "é �"


async def test_the_output_comes_while_the_command_still_runs(tmp_path):
    async with session(tmp_path, ["sh", "-c", "echo first; sleep 600"]) as opened:
        await opened.submit("", "s1", Mode.OWN)
        while not isinstance(event := await opened.events.receive(), BlockDelta):
            pass
        assert event.text == "first"
        await opened.interrupt()
        end = await ended(opened)
        assert (end.outcome, end.text) == (Outcome.INTERRUPTED, "first")


@pytest.mark.parametrize(
    ("command", "answer"),
    [(["echo", "-n", "<{text}>"], "<a b>"), (["echo", "-n"], "a b"), (["sh", "-c", "wc -c"], "0")],
)
async def test_the_text_may_be_an_argument(tmp_path, command, answer):
    async with session(tmp_path, command, input="argument") as opened:
        assert (await turn(opened, "a b")).text.strip() == answer


async def test_no_shell_reads_the_text(tmp_path):
    async with session(tmp_path, ["echo", "{text}"], input="argument") as opened:
        assert (await turn(opened, "$(id); `id` > x")).text == "$(id); `id` > x"
    assert not (tmp_path / "x").exists()


@pytest.mark.parametrize(("text", "code"), [("a\0b", "nul"), ("x" * 200_000, "too_large")], ids=["nul", "large"])
async def test_what_no_argument_can_hold_is_the_messages_fault(tmp_path, text, code):
    async with session(tmp_path, ["echo"], input="argument") as opened:
        with pytest.raises(ProviderError) as caught:
            await opened.submit(text, "s1", Mode.OWN)
        assert (caught.value.fault.whose, caught.value.fault.code) == (Whose.MESSAGE, code)
        assert (await turn(opened)).text == "hello"


async def test_a_large_text_goes_through_standard_input(tmp_path):
    async with session(tmp_path, ["cat"]) as opened:
        assert (await turn(opened, "x" * 1_000_000)).text == "x" * 1_000_000


async def test_a_command_that_does_not_read_is_no_error(tmp_path):
    async with session(tmp_path, ["echo", "done"]) as opened:
        assert (await turn(opened, "x" * 1_000_000)).outcome is Outcome.COMPLETED


async def test_an_exit_code_is_the_turns_fault_and_says_what_was_complained_of(tmp_path):
    program = "echo partial; for n in 1 2 3 4 5; do echo line $n >&2; done; exit 3"
    async with session(tmp_path, ["sh", "-c", program]) as opened:
        end = await turn(opened)
    assert (end.outcome, end.text, end.by) == (Outcome.FAILED, "partial", "provider")
    assert (end.fault.whose, end.fault.code) == (Whose.TURN, "exit_3")
    assert end.fault.message == "sh ended with exit code 3: line 3 | line 4 | line 5"


async def test_a_kill_from_outside_is_the_processs_fault_and_ends_the_session(tmp_path):
    async with session(tmp_path, ["sleep", "600"]) as opened:
        await opened.submit("", "s1", Mode.OWN)
        await begun(opened)
        os.kill(opened.pid, signal.SIGKILL)
        end = await ended(opened)
        assert (end.outcome, end.by, end.submissions) == (Outcome.FAILED, "process", ("s1",))
        assert (end.fault.whose, end.fault.code) == (Whose.PROCESS, "signal_9")
        with pytest.raises(anyio.EndOfStream):
            await opened.events.receive()


async def test_a_missing_command_is_said_when_the_session_is_opened(tmp_path):
    with pytest.raises(ProviderError) as caught:
        async with session(tmp_path, ["no-such-command"]):
            pass
    assert (caught.value.fault.whose, caught.value.fault.code) == (Whose.AGENT, "missing_binary")
    assert "no-such-command is not found" in caught.value.fault.message


async def test_a_command_that_went_missing_meanwhile_is_the_agents_fault(tmp_path):
    tool = tmp_path / "tool"
    tool.write_text("#!/bin/sh\ncat")
    tool.chmod(0o755)
    async with session(tmp_path, ["./tool"]) as opened:
        tool.rename(tmp_path / "elsewhere")
        end = await turn(opened)
        assert (end.outcome, end.fault.whose, end.fault.code) == (Outcome.FAILED, Whose.AGENT, "missing_binary")
        (tmp_path / "elsewhere").rename(tool)
        assert (await turn(opened)).text == "hello"


async def test_one_text_runs_after_the_other(tmp_path):
    program = "set -C; echo > lock || exit 1; cat; rm lock"
    async with session(tmp_path, ["sh", "-c", program]) as opened:
        for name in ("s1", "s2", "s3"):
            await opened.submit(name, name, Mode.OWN)
        ends = [await ended(opened) for _ in range(3)]
    assert [(end.outcome, end.text, end.submissions) for end in ends] == [
        (Outcome.COMPLETED, name, (name,)) for name in ("s1", "s2", "s3")
    ]


async def test_a_time_limit_fails_the_turn_with_what_there_is(tmp_path):
    clock = VirtualClock()
    async with session(tmp_path, ["sh", "-c", "echo some; sleep 600"], clock=clock, timeout=30) as opened:
        await opened.submit("", "s1", Mode.OWN)
        while not isinstance(await opened.events.receive(), BlockDelta):
            pass
        await clock.advance(30)
        end = await ended(opened)
    assert (end.outcome, end.text) == (Outcome.FAILED, "some")
    assert (end.fault.whose, end.fault.code) == (Whose.TURN, "timeout")


async def test_a_command_that_ignores_sigterm_is_killed_after_the_grace(tmp_path):
    clock = VirtualClock()
    async with session(
        tmp_path, ["sh", "-c", "trap '' TERM; echo deaf; while :; do sleep 1; done"], clock=clock
    ) as opened:
        await opened.submit("", "s1", Mode.OWN)
        while not isinstance(await opened.events.receive(), BlockDelta):
            pass
        await opened.interrupt()
        await clock.advance(2)
        assert (await ended(opened)).outcome is Outcome.INTERRUPTED


async def test_too_much_output_fails_the_turn_and_ends_the_command(tmp_path):
    async with session(tmp_path, ["yes"], max_output=10) as opened:
        end = await turn(opened)
    assert (end.outcome, end.text, end.fault.code) == (Outcome.FAILED, "y\ny\ny\ny\ny", "too_much_output")


async def test_what_a_command_leaves_in_its_group_does_not_outlive_the_turn(tmp_path):
    async with session(tmp_path, ["sh", "-c", "sleep 600 & echo $!"]) as opened:
        begin = anyio.current_time()
        end = await turn(opened)
        assert end.outcome is Outcome.COMPLETED
        await wait_exit(int(end.text))
        assert anyio.current_time() - begin < LEFT_OPEN


async def test_closing_ends_a_command_at_once(tmp_path):
    async with session(tmp_path, ["sleep", "600"]) as opened:
        await opened.submit("", "s1", Mode.OWN)
        await begun(opened)
        pid = opened.pid
        assert process_stat(pid).alive
        begin = anyio.current_time()
    assert anyio.current_time() - begin < GRACE
    assert process_stat(pid) is None


async def test_the_command_has_the_agents_environment_directory_and_further_words(tmp_path, monkeypatch):
    monkeypatch.setenv("FROM_THE_RELAY", "1")
    request = SessionRequest(
        agent="a", cwd=tmp_path, env={"RELAYKIT_HOME": "/home", "RELAYKIT_AGENT": "a"}, arguments=("more",)
    )
    program = 'echo $RELAYKIT_HOME $RELAYKIT_AGENT $FROM_THE_RELAY $ADDED "$(pwd)" $1'
    async with session(tmp_path, ["sh", "-c", program, "sh"], request=request, env={"ADDED": "2"}) as opened:
        assert (await turn(opened)).text == f"/home a 1 2 {tmp_path} more"
