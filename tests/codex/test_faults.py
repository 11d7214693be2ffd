from __future__ import annotations

import json

import pytest

from relaykit.model import Whose
from relaykit_codex.faults import refusal, turn_fault
from relaykit_codex.protocol import Failure


@pytest.mark.parametrize(
    ("info", "message", "whose", "code"),
    [
        ("unauthorized", "no", Whose.AGENT, "unauthorized"),
        ("usageLimitExceeded", "no", Whose.AGENT, "usageLimitExceeded"),
        ("rateLimitExceeded", "no", Whose.AGENT, "rateLimitExceeded"),
        ("serverOverloaded", "no", Whose.AGENT, "serverOverloaded"),
        ("internalServerError", "no", Whose.AGENT, "internalServerError"),
        ({"httpConnectionFailed": {"httpStatusCode": 401}}, "no", Whose.AGENT, "httpConnectionFailed:401"),
        ({"httpConnectionFailed": {"httpStatusCode": None}}, "no", Whose.AGENT, "httpConnectionFailed"),
        ({"httpConnectionFailed": {"httpStatusCode": 400}}, "no", Whose.MESSAGE, "httpConnectionFailed:400"),
        ({"responseStreamDisconnected": {}}, "no", Whose.AGENT, "responseStreamDisconnected"),
        (
            {"responseTooManyFailedAttempts": {"httpStatusCode": 429}},
            "no",
            Whose.AGENT,
            "responseTooManyFailedAttempts:429",
        ),
        ("contextWindowExceeded", "no", Whose.TURN, "contextWindowExceeded"),
        ("sessionBudgetExceeded", "no", Whose.TURN, "sessionBudgetExceeded"),
        ("sandboxError", "no", Whose.TURN, "sandboxError"),
        ("tooManyDenials", "no", Whose.TURN, "tooManyDenials"),
        ("badRequest", "no", Whose.MESSAGE, "badRequest"),
        ("cyberPolicy", "no", Whose.MESSAGE, "cyberPolicy"),
        ("other", "something else", Whose.TURN, "other"),
        ("other", "stream disconnected before completion", Whose.AGENT, "other"),
        ("other", "Missing environment variable: `KEY`.", Whose.AGENT, "other"),
        ("other", "unexpected status 503 Service Unavailable", Whose.AGENT, "other:503"),
        (
            "other",
            json.dumps({"error": {"type": "invalid_request_error", "message": "no"}}),
            Whose.MESSAGE,
            "invalid_request_error",
        ),
        ("inventedTomorrow", "no", Whose.TURN, "inventedTomorrow"),
        (None, "no", Whose.TURN, "other"),
        ({}, "no", Whose.TURN, "other"),
        (7, "no", Whose.TURN, "other"),
    ],
)
def test_an_error_has_someone_to_blame(info, message, whose, code):
    fault = turn_fault({"message": message, "codexErrorInfo": info})
    assert (fault.whose, fault.code) == (whose, code)


def test_the_message_is_what_the_body_says_in_one_line():
    body = json.dumps({"error": {"message": "Bad\n request", "type": "invalid_request_error"}})
    assert turn_fault({"message": body, "codexErrorInfo": "other"}).message == "Bad request"


@pytest.mark.parametrize(
    ("message", "seconds"),
    [("Please try again in 1s.", 1.0), ("try again in 20ms", 0.02), ("try again in 1.5 m", 90.0), ("wait", None)],
)
def test_how_long_to_wait_is_read_from_the_message(message, seconds):
    assert turn_fault({"message": message}).retry_after == seconds


def test_a_sign_in_that_failed_says_what_helps():
    assert (
        "codex login"
        in turn_fault({"message": "no", "codexErrorInfo": {"httpConnectionFailed": {"httpStatusCode": 401}}}).message
    )


@pytest.mark.parametrize("key", ["sk-proj-abcdefgh12345678", "eyJhbGciOiJIUzI1NiJ9.e30.abc"])
def test_no_key_is_in_a_message(key):
    fault = turn_fault({"message": f"Incorrect API key provided: {key}, see the docs"})
    assert key not in fault.message
    assert "***, see the docs" in fault.message


def test_a_long_message_is_cut():
    assert len(turn_fault({"message": "x" * 10_000}).message) == 300


def test_a_refused_request_names_what_was_asked():
    error = refusal(Failure(1, "thread/resume", -32600, "no rollout\nfound", {}))
    assert str(error) == "codex refused thread/resume: no rollout found"
    assert error.fault.whose is Whose.AGENT


def test_a_text_that_is_too_long_is_the_messages_fault():
    failure = Failure(1, "turn/start", -32602, "Input exceeds", {"input_error_code": "input_too_large"})
    assert (refusal(failure).fault.whose, refusal(failure).fault.code) == (Whose.MESSAGE, "input_too_large")
