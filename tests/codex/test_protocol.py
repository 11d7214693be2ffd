from __future__ import annotations

import json
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from relaykit.plugin.jsonlines import Skipped
from relaykit_codex.protocol import MAX_UNANSWERED, Connection, Failure, Notification, Response, ServerRequest

LIMIT = 200

json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)
messages = st.fixed_dictionaries(
    {},
    optional={
        "id": st.integers(-1, 4) | st.text(max_size=3) | st.none() | json_values,
        "method": st.sampled_from(["turn/started", "error", "", "x"]) | json_values,
        "params": json_values,
        "result": json_values,
        "error": json_values,
    },
)
lines = st.one_of(
    st.binary(max_size=40), messages.map(lambda message: json.dumps(message).encode()), st.just(b"x" * 300)
)


def connection():
    made = Connection(LIMIT)
    for method in ("initialize", "thread/start", "turn/start"):
        made.request(method, {})
    return made


def in_pieces(data: bytes, cuts: list[int]) -> list:
    made, edges = connection(), sorted({0, len(data), *(cut % (len(data) + 1) for cut in cuts)})
    pieces = [data[start:end] for start, end in pairwise(edges)]
    return [message for piece in pieces for message in made.receive(piece)]


@given(st.lists(lines, max_size=8), st.lists(st.integers(0, 10_000), max_size=12))
def test_any_bytes_in_any_pieces_are_read_as_in_one_piece(given_lines, cuts):
    data = b"\n".join(given_lines)
    assert repr(in_pieces(data, cuts)) == repr(connection().receive(data))


@given(st.binary(max_size=200))
def test_any_bytes_are_read_without_an_error(data):
    for message in connection().receive(data + b"\n"):
        assert isinstance(message, Response | Failure | Notification | ServerRequest | Skipped)


def test_a_request_and_its_answer_find_each_other():
    made = Connection()
    request, line = made.request("initialize", {"clientInfo": {"name": "relaykit"}})
    assert json.loads(line) == {"id": request, "method": "initialize", "params": {"clientInfo": {"name": "relaykit"}}}
    answer = json.dumps({"id": request, "result": {"userAgent": "x"}}).encode() + b"\n"
    assert made.receive(answer) == [Response(request, "initialize", {"userAgent": "x"})]
    assert made.receive(answer) == [Skipped(reason="an answer to nothing that was asked", size=len(answer) - 1)]


def test_an_error_is_a_failure_of_what_was_asked():
    made = Connection()
    request, _ = made.request("turn/steer", {})
    error = {"code": -32600, "message": "no active turn to steer", "data": {"a": 1}}
    (failure,) = made.receive(json.dumps({"id": request, "error": error}).encode() + b"\n")
    assert failure == Failure(request, "turn/steer", -32600, "no active turn to steer", {"a": 1})


def test_what_has_a_result_and_no_error_is_a_response():
    made = Connection()
    request, _ = made.request("turn/start", {})
    assert made.receive(b'{"id": %d, "result": {}, "error": null}\n' % request) == [Response(request, "turn/start", {})]


@pytest.mark.parametrize("more", [{}, {"error": None}, {"result": {}, "error": {}}])
def test_an_answer_without_a_result_or_with_an_error_is_a_failure(more):
    made = Connection()
    request, _ = made.request("turn/start", {})
    (failure,) = made.receive(json.dumps({"id": request, **more}).encode() + b"\n")
    assert failure == Failure(request, "turn/start", -32600, "", {})


def test_true_is_no_id():
    made = Connection()
    request, _ = made.request("turn/start", {})
    data = b'{"id": true, "result": {}}'
    assert made.receive(data + b"\n") == [Skipped(reason="an answer to nothing that was asked", size=len(data))]
    assert made.receive(b'{"id": true, "method": "x"}\n') == [Notification("x", {})]
    assert made.receive(b'{"id": %d, "result": {}}\n' % request) == [Response(request, "turn/start", {})]


def test_of_requests_that_are_never_answered_the_oldest_is_forgotten():
    made = Connection()
    first, *_, last = [made.request("turn/interrupt", {})[0] for _ in range(MAX_UNANSWERED + 1)]
    assert isinstance(made.receive(b'{"id": %d, "result": {}}\n' % first)[0], Skipped)
    assert made.receive(b'{"id": %d, "result": {}}\n' % last) == [Response(last, "turn/interrupt", {})]
    assert len(made._waiting) == MAX_UNANSWERED - 1


def test_ids_of_the_server_are_its_own():
    made = Connection()
    request, _ = made.request("turn/start", {})
    asked = {"id": request, "method": "item/tool/call", "params": {"tool": "x"}}
    assert made.receive(json.dumps(asked).encode() + b"\n") == [ServerRequest(request, "item/tool/call", {"tool": "x"})]
    assert json.loads(made.answer(request, {"success": True})) == {"id": request, "result": {"success": True}}
    assert made.receive(b'{"id": %d, "result": {}}\n' % request) == [Response(request, "turn/start", {})]


def test_a_notification_needs_nothing_but_its_name():
    assert Connection().receive(b'{"method": "something/new", "emittedAtMs": 1}\n') == [
        Notification("something/new", {})
    ]


def test_a_line_that_is_too_long_is_passed_over_and_the_next_one_read():
    made = Connection(LIMIT)
    data = b'{"method": "' + b"x" * LIMIT + b'"}\n{"method": "next"}\n'
    assert made.receive(data) == [
        Skipped(reason="a line of more than 200 bytes", size=LIMIT + 14),
        Notification("next", {}),
    ]
