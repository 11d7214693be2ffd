"""What a turn is said to have cost, of results that the real claude writes, and of such as it should not."""

from __future__ import annotations

import pytest

from relaykit_claude.usage import UsageMeter

SINCE = "model_usage_since_last_result"
TOKENS = {"usage": {"input_tokens": 1, "output_tokens": 1}}


def cost(meter, **result):
    return meter.read({**TOKENS, **result}, "turn").cost_usd


def test_a_turn_that_spent_nothing_after_a_resume_is_not_charged_for_the_session():
    meter = UsageMeter(resumed=True)
    assert meter.read({"total_cost_usd": 4.0, SINCE: {}}, "turn") is None
    assert cost(meter, total_cost_usd=4.5, **{SINCE: {"a": {"costUSD": 0.4}, "b": {"costUSD": 0.1}}}) == 0.5


def test_an_older_claude_says_with_its_first_result_what_the_session_had_cost():
    meter = UsageMeter(resumed=True)
    assert cost(meter, total_cost_usd=4.0) is None
    assert cost(meter, total_cost_usd=4.5) == 0.5
    assert cost(UsageMeter(), total_cost_usd=0.5) == 0.5


@pytest.mark.parametrize("said", ["0.1", None, True, [], {}, float("nan"), float("inf"), 10**400])
def test_a_cost_that_is_no_number_costs_nothing(said):
    assert cost(UsageMeter(), total_cost_usd=said, **{SINCE: {"a": {"costUSD": said}, "b": said}}) == 0.0
    assert cost(UsageMeter(), total_cost_usd=said) is None
