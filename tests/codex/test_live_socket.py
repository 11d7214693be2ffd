"""The real codex on a unix socket: the same sessions, and such as outlive whoever drives them."""

from __future__ import annotations

import os
import signal
import socket
import stat

import anyio
import pytest
from msgspec.structs import replace

from relaykit.errors import ConfigError, ProviderError
from relaykit.model import (
    BlockDelta,
    BlockEnded,
    BlockKind,
    Decision,
    Outcome,
    PermissionAsked,
    PermissionClosed,
    TurnEnded,
    TurnJoined,
    TurnStarted,
)
from relaykit.relay.children import orphans
from relaykit.relay.clock import SystemClock
from relaykit_codex.options import Options

pytestmark = [pytest.mark.anyio, pytest.mark.live, pytest.mark.parity("AR-18")]
DETACHED = {"detached": True, "connect": "socket"}


@pytest.fixture
def anyio_backend():
    return "asyncio"


@pytest.fixture
async def lasting(codex, tmp_path):
    """A codex that is to outlive its sessions; ended when the test is over."""
    codex.options = {**codex.options, **DETACHED}
    yield codex
    await orphans.end_detached(tmp_path / "children", SystemClock().boot_id())


def is_alive(pid):
    found = orphans.process_stat(pid)
    return found is not None and found.alive


async def test_a_turn_over_a_socket_streams_and_its_codex_ends_with_the_session(codex):
    async with codex.open(options={"connect": "socket"}) as talk:
        ended = await talk.turn("exec:echo here;;say:over the socket")
        assert ended.text == "over the socket"
        assert talk.all(BlockDelta)
        pid = talk.session.pid
        assert not talk.provider.capabilities.detached
    assert not is_alive(pid)


async def test_the_socket_is_ours_alone(codex):
    async with codex.open(options={"connect": "socket"}):
        (link,) = (codex.context.home / "socket").iterdir()
        for path in (link.parent, link.resolve().parent):
            about = path.stat()
            assert (stat.S_IMODE(about.st_mode), about.st_uid) == (0o700, os.getuid())
        assert stat.S_IMODE(link.stat().st_mode) == 0o600
        assert len(str(link.resolve())) < 107


async def test_a_home_whose_path_is_longer_than_a_sockets_may_be_is_no_obstacle(codex):
    home = codex.context.home / ("d" * 120)
    home.mkdir(parents=True)
    codex.context = replace(codex.context, home=home)
    async with codex.open(options={"connect": "socket"}) as talk:
        assert (await talk.turn("say:hello")).text == "hello"


def test_pipes_and_detached_contradict_each_other(codex):
    with pytest.raises(ConfigError, match=r"options\.detached"):
        Options.read({"connect": "stdio", "detached": True}, "agents.main")


async def test_a_codex_that_cannot_start_says_why(codex):
    (codex.home / "no").write_text("#!/bin/sh\necho no room for a socket >&2\nexit 3\n")
    (codex.home / "no").chmod(0o700)
    for options in ({"connect": "socket"}, DETACHED):
        with pytest.raises(ProviderError, match="exit code 3: no room for a socket"):
            async with codex.open(options={**options, "command": str(codex.home / "no")}):
                pass


async def test_a_detached_turn_goes_on_is_joined_again_and_ends_once(lasting, stub):
    async with lasting.open() as talk:
        await talk.turn("say:hello")
        submission = await talk.send("exec:echo once;;gate:detached:first half and second half")
        await talk.until(BlockDelta)
        pid, thread = talk.session.pid, talk.session.id
    assert is_alive(pid)
    async with lasting.open(resume=thread) as again:
        assert (again.session.pid, again.session.id) == (pid, thread)
        (*_, past) = await again.session.history(thread)
        assert (past.submissions, past.outcome) == ((submission,), None)
        started = await again.until(TurnStarted)
        assert started.submissions == (submission,)
        stub.open_gate("detached")
        ended = await again.until(TurnEnded)
    assert (ended.turn, ended.submissions, ended.outcome) == (started.turn, (submission,), Outcome.COMPLETED)
    assert ended.text == "first half and second half"
    tools = [block.text for block in again.blocks(BlockKind.TOOL_RESULT)]
    assert tools == ["once\n"], "what was done in the meantime is told"
    assert again.all(BlockDelta), "the rest of the text streams"
    assert [what.block.text for what in again.all(BlockEnded)][-1] == ended.text
    async with lasting.open(resume=thread) as third:
        assert (await third.turn("say:next")).text == "next"


async def test_a_turn_that_ended_while_nobody_listened_is_in_the_history(lasting, stub):
    async with lasting.open() as talk:
        submission = await talk.send("gate:meanwhile:all of it")
        await talk.until(BlockDelta)
        thread = talk.session.id
    async with lasting.open() as other:  # beside it, to see when it is over
        stub.open_gate("meanwhile")
        with anyio.fail_after(20):
            while (await other.session.history(thread))[-1].outcome is None:
                pass
    async with lasting.open(resume=thread) as again:
        (past,) = await again.session.history(thread)
        assert (past.submissions, past.outcome, past.text) == ((submission,), Outcome.COMPLETED, "all of it")


@pytest.mark.parametrize("script", ["esc:touch {};;say:made it", "patch:{}|a new line;;say:made it"])
async def test_a_question_is_repeated_with_the_same_digest_and_answered(lasting, script):
    outside = lasting.home / "outside.txt"
    async with lasting.open() as talk:
        submission = await talk.send(script.format(outside))
        first = (await talk.until(PermissionAsked)).question
        thread = talk.session.id
    async with lasting.open(resume=thread) as again:
        second = (await again.until(PermissionAsked)).question
        assert (second.turn, second.item, second.digest) == (first.turn, first.item, first.digest)
        assert not again.all(PermissionClosed)
        await again.session.decide(second.key, Decision.APPROVE)
        ended = await again.until(TurnEnded)
    assert (ended.submissions, ended.text) == ((submission,), "made it")
    assert outside.exists()


async def test_a_detached_codex_that_is_killed_ends_its_turn_like_any_other(lasting):
    async with lasting.open() as talk:
        submission = await talk.send("esc:true;;say:x")
        question = (await talk.until(PermissionAsked)).question
        os.kill(talk.session.pid, signal.SIGKILL)
        ended = await talk.until(TurnEnded)
        assert (ended.by, ended.submissions) == ("process", (submission,))
        assert "exit code -9" in ended.fault.message
        assert talk.all(PermissionClosed) == [PermissionClosed(key=question.key, withdrawn=True)]
    async with lasting.open(resume=talk.session.id) as again:
        assert again.session.pid != talk.session.pid
        assert (await again.turn("say:back")).text == "back"


async def test_a_connection_that_is_lost_ends_the_session_and_not_the_turn(lasting, stub):
    async with lasting.open() as talk:
        submission = await talk.send("gate:lost:half and half")
        await talk.until(BlockDelta)
        thread, pid = talk.session.id, talk.session.pid
        stream = talk.session._client._link.feed.__self__._stream
        stream._socket.shutdown(socket.SHUT_RDWR)
        with anyio.fail_after(10):
            rest = [what async for what in talk.session.events]
        assert not [what for what in rest if isinstance(what, TurnEnded | PermissionClosed)]
    async with lasting.open(resume=thread) as again:
        assert again.session.pid == pid
        await again.until(TurnStarted)
        stub.open_gate("lost")
        assert (await again.until(TurnEnded)).submissions == (submission,)


async def test_a_detached_codex_that_hangs_is_ended_and_another_one_goes_on(lasting):
    async with lasting.open() as talk:
        await talk.turn("say:hello")
        thread, pid = talk.session.id, talk.session.pid
    os.kill(pid, signal.SIGSTOP)
    async with lasting.open(resume=thread, options={"request_timeout": 2}) as again:
        assert again.session.pid != pid
    assert not is_alive(pid)


async def test_other_settings_are_another_codex(lasting):
    async with lasting.open() as talk:
        await talk.turn("say:hello")
        thread, pid = talk.session.id, talk.session.pid
    async with lasting.open(resume=thread, options={"network": True}) as again:
        assert again.session.pid != pid
        assert (await again.turn("say:network")).text == "network"
    assert not is_alive(pid)


async def test_two_clients_of_one_thread_see_the_same_turn_and_the_first_answer_counts(lasting):
    async with lasting.open() as first:
        await first.turn("say:hello")
        async with lasting.open(resume=first.session.id) as second:
            assert second.session.pid == first.session.pid
            submission = await first.send("esc:true;;say:both")
            mine = (await first.until(PermissionAsked)).question
            theirs = (await second.until(PermissionAsked)).question
            await second.session.decide(theirs.key, Decision.APPROVE)
            assert (await first.until(PermissionClosed)) == PermissionClosed(key=mine.key, withdrawn=True)
            assert (await first.until(TurnEnded)).text == (await second.until(TurnEnded)).text == "both"
            assert [what.submissions for what in second.all(TurnJoined)] == [(submission,)]
