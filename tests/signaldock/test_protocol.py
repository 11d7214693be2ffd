"""Every shape that servers send, and what failures mean."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from email.utils import format_datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from relaykit_signaldock.failures import LONGEST, SignedOutError, failure, retry_after
from relaykit_signaldock.protocol import ShapeError, incoming, moment, new_key, page, says, sent, streamed
from relaykit_signaldock.sse import Frame

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: (
        st.lists(inner)
        | st.dictionaries(st.sampled_from(["id", "from", "content", "messages", "data"]) | st.text(), inner)
    ),
    max_leaves=20,
)

SERVER = {
    "messageId": "m1",
    "conversationId": "c",
    "from": "alice",
    "content": "hi",
    "createdAt": "2025-06-15T00:00:00Z",
}
REST = {"id": "m1", "conversationId": "c", "fromAgentId": "alice", "content": "hi", "createdAt": "2025-06-15T00:00:00Z"}
SNAKE = {"id": "m1", "conversation_id": "c", "from_agent_id": "alice", "content": "hi", "created_at": 1_749_945_600}


@pytest.mark.parity("CR-10")
@pytest.mark.parametrize("row", [SERVER, REST, SNAKE, {**SERVER, **REST, **SNAKE}])
def test_every_shape_of_a_message_means_the_same(row):
    found = incoming(row)
    assert (found.id, found.sender, found.content, found.conversation) == ("m1", "alice", "hi", "c")
    assert found.created == 1_749_945_600.0
    assert streamed(Frame("message", json.dumps(row), "m1", named=True)) == found


def test_a_frames_own_id_names_its_message_and_an_earlier_ones_does_not():
    row = {"from": "alice", "content": "hi"}
    assert streamed(Frame("message", json.dumps(row), "m7", named=True)).id == "m7"
    assert streamed(Frame("message", json.dumps(row), "m7")) is None


def test_one_message_that_cannot_be_read_spoils_none_of_the_others():
    rows = [REST, {"id": "m2", "content": 7, "fromAgentId": "x"}, None, [], "x", {**REST, "id": "m3"}]
    found = page(json.dumps({"success": True, "data": {"messages": rows}}).encode())
    assert [one.id for one in found.messages] == ["m1", "m3"]
    assert (found.size, found.unread) == (6, ("m2",))


@given(JSON)
def test_no_json_does_harm(value):
    body = json.dumps(value).encode()
    incoming(value)
    sent(body)
    streamed(Frame("message", body.decode(), "1"))
    failure(500, {}, body, now=0.0, what="x")
    for read in (page, new_key):
        try:
            read(body)
        except ShapeError:
            continue


@given(st.binary())
def test_no_bytes_do_harm(body):
    sent(body)
    failure(500, {}, body, now=0.0, what="x")
    with pytest.raises(ShapeError):
        new_key(body)


@pytest.mark.parametrize("key", [None, 7, "", "sk live", "sk_live\r\nX: y", "sk_lïve"])
def test_a_rotation_without_a_usable_key_is_an_error_that_does_not_show_it(key):
    with pytest.raises(ShapeError) as caught:
        new_key(json.dumps({"data": {"apiKey": key}}).encode())
    assert "sk" not in str(caught.value)


@pytest.mark.parametrize(
    ("text", "is_meant"),
    [
        ("@bob look", True),
        ("look, @BOB.", True),
        ("(@bob)", True),
        ("@all", True),
        ("@bob-2 look", False),
        ("@bobby", False),
        ("mail x@bob", False),
        ("bob", False),
        ("@allow", False),
        ("a.@bob", False),
    ],
)
def test_a_mention_is_the_whole_name(text, is_meant):
    assert says(text, (), "bob") is is_meant
    assert says("", ("bob",), "bob")
    assert says("", ("@ALL",), "bob")


def test_a_name_of_a_strange_kind_is_no_pattern():
    assert says("@b.b", (), "b.b")
    assert not says("@bob", (), "b.b")
    assert not says("@x", (), "(")


@pytest.mark.parametrize(
    ("value", "at"),
    [
        ("2025-06-15T00:00:00Z", 1_749_945_600.0),
        ("2025-06-15T00:00:00", 1_749_945_600.0),
        (1_749_945_600_000, 1_749_945_600.0),
        (1_749_945_600, 1_749_945_600.0),
        ("yesterday", None),
        (True, None),
        ([], None),
    ],
)
def test_times_of_every_kind(value, at):
    assert moment(value) == at


@pytest.mark.parity("CR-10")
@pytest.mark.parametrize(
    ("status", "code", "final"),
    [
        *((status, "", True) for status in (400, 403, 413, 422)),
        *((status, "", False) for status in (302, 401, 408, 425, 429, 500, 503)),
        (404, "E_NOT_FOUND_AGENT", True),
        (200, "E_VALIDATION_SCHEMA", True),
        (200, "E_INTERNAL_ERROR", False),
    ],
)
def test_which_refusals_are_for_good(status, code, final):
    body = json.dumps({"success": False, "error": {"code": code, "message": "because\nof this"}}).encode()
    error = failure(status, {}, body, now=0.0, what="POST /messages")
    assert error.final is final
    assert "because of this" in str(error)
    assert isinstance(error, SignedOutError) is (status == 401)


def test_a_server_that_calls_a_refusal_retryable_is_believed():
    body = json.dumps({"error": {"code": "E_CONFLICT_DUPLICATE", "retryable": True, "retry_after_ms": 2500}}).encode()
    error = failure(409, {}, body, now=0.0, what="x")
    assert (error.final, error.retry_after) == (False, 2.5)


@pytest.mark.parity("CR-10")
@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({"retry-after": "7"}, 7.0),
        ({"retry-after": format_datetime(datetime.fromtimestamp(1_750_000_030, UTC), usegmt=True)}, 30.0),
        ({"retry-after": "soon"}, None),
        ({"retry-after": "-5"}, None),
        ({"retry-after": "1e99"}, LONGEST),
        ({"x-ratelimit-remaining": "0", "x-ratelimit-reset": "1750000012"}, 12.0),
        ({"x-ratelimit-remaining": "0", "x-ratelimit-reset": "1750000012000"}, 12.0),
        ({"x-ratelimit-remaining": "0", "x-ratelimit-reset": "9"}, 9.0),
        ({"x-ratelimit-remaining": "3", "x-ratelimit-reset": "9"}, None),
        ({}, None),
    ],
)
def test_when_a_server_wants_to_be_asked_again(headers, seconds):
    assert retry_after(headers, 1_750_000_000.0) == seconds
