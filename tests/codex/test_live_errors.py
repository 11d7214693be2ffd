from __future__ import annotations

import pytest

from relaykit.errors import ProviderError
from relaykit.model import ErrorRaised, Mode, Outcome, TurnEnded, Whose
from relaykit.testing.codex_home import write_codex_home

pytestmark = [pytest.mark.anyio, pytest.mark.live]


@pytest.fixture
def anyio_backend():
    return "asyncio"


@pytest.mark.parametrize(
    ("script", "whose", "code"),
    [
        ("http:400", Whose.MESSAGE, "invalid_request_error"),
        ("http:401", Whose.AGENT, "httpConnectionFailed:401"),
        ("http:429", Whose.AGENT, "responseTooManyFailedAttempts:429"),
        ("http:500", Whose.AGENT, "internalServerError"),
        ("http:413", Whose.MESSAGE, "httpConnectionFailed:413"),
        ("drop", Whose.AGENT, "other"),
        ("failed:insufficient_quota", Whose.AGENT, "usageLimitExceeded"),
        ("failed:rate_limit_exceeded", Whose.AGENT, "rateLimitExceeded"),
        ("failed:context_length_exceeded", Whose.TURN, "contextWindowExceeded"),
    ],
)
async def test_a_turn_that_fails_says_whose_fault_it_is_and_the_next_one_works(codex, script, whose, code):
    async with codex.open() as talk:
        ended = await talk.turn(script)
        assert ended.outcome is Outcome.FAILED
        assert (ended.fault.whose, ended.fault.code) == (whose, code)
        assert ended.fault.message
        assert "\n" not in ended.fault.message
        assert talk.all(ErrorRaised)[-1].fault == ended.fault
        assert not talk.all(ErrorRaised)[-1].will_retry
        assert (await talk.turn("say:recovered")).text == "recovered"


@pytest.mark.parametrize("script", ["http:500:1", "drop:1"])
async def test_an_error_that_codex_overcomes_is_no_failure(codex, stub, script):
    write_codex_home(codex.home, stub.base_url, retries=2)
    async with codex.open() as talk:
        ended = await talk.turn(script)
    assert (ended.outcome, ended.text, ended.fault) == (Outcome.COMPLETED, "recovered", None)
    assert all(error.will_retry for error in talk.all(ErrorRaised))


async def test_a_message_that_is_too_long_is_refused_as_the_messages_fault(codex):
    async with codex.open() as talk:
        limit = talk.provider.capabilities.max_text
        with pytest.raises(ProviderError, match="maximum length") as caught:
            await talk.session.submit("x" * (limit + 1), "too-long", Mode.OWN)
        assert (caught.value.fault.whose, caught.value.fault.code) == (Whose.MESSAGE, "input_too_large")
        await talk.send("gate:never-opened:text")
        with pytest.raises(ProviderError, match="maximum length"):
            await talk.session.submit("x" * (limit + 1), "too-long", Mode.JOIN)
        await talk.session.interrupt()
        await talk.until(TurnEnded)
        assert (await talk.turn("say:" + "y" * 100_000)).text == "y" * 100_000
