"""Errors of the model's API, and a claude that cannot be started, as the real one tells them."""

from __future__ import annotations

import socket

import pytest

from relaykit.errors import ProviderError
from relaykit.model import ErrorRaised, Outcome, Whose
from relaykit.testing.claude_home import write_claude_home

pytestmark = [pytest.mark.live, pytest.mark.anyio]


@pytest.fixture
def anyio_backend():
    return "asyncio"


@pytest.mark.parametrize(
    ("status", "whose"),
    [(400, Whose.MESSAGE), (401, Whose.AGENT), (413, Whose.MESSAGE), (500, Whose.AGENT), (529, Whose.AGENT)],
)
async def test_an_error_of_the_api_fails_the_turn_and_not_the_session(claude, status, whose):
    async with claude.open() as talk:
        ended = await talk.turn(f"http:{status}")
        assert (ended.outcome, ended.fault.whose) == (Outcome.FAILED, whose)
        assert str(status) in ended.fault.code
        assert (await talk.turn("say:next")).text == "next"


async def test_what_is_tried_again_is_told_and_the_turn_ends_well(claude):
    write_claude_home(claude.home, claude.stub.base_url, retries=3)
    async with claude.open() as talk:
        assert (await talk.turn("http:529:2")).text == "recovered"
        again = [what for what in talk.all(ErrorRaised) if what.will_retry]
    assert [what.fault.code for what in again] == ["overloaded:529"] * 2
    assert all(what.fault.retry_after > 0 for what in again)


async def test_a_connection_that_is_refused_is_the_agents_fault(claude):
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        write_claude_home(claude.home, f"http://127.0.0.1:{closed.getsockname()[1]}")
        async with claude.open() as talk:
            ended = await talk.turn("say:nobody hears it")
    assert (ended.outcome, ended.fault.whose) == (Outcome.FAILED, Whose.AGENT)


async def test_nobody_is_signed_in(claude):
    write_claude_home(claude.home, claude.stub.base_url, env={"ANTHROPIC_API_KEY": ""})
    with pytest.raises(ProviderError, match="/login") as raised:
        async with claude.open():
            pass
    assert raised.value.fault.whose is Whose.AGENT


async def test_a_word_that_claude_does_not_know_is_told_in_its_words(claude):
    with pytest.raises(ProviderError, match="unknown option"):
        async with claude.open(arguments=("--no-such-option",)):
            pass
