"""The wire of a program that speaks JSON, one object a line."""

from __future__ import annotations

import json
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from relaykit.plugin.jsonlines import Lines, Skipped, as_line, read_line

LIMIT = 200
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=12,
)
LINES = st.one_of(st.binary(max_size=40), JSON.map(lambda value: json.dumps(value).encode()), st.just(b"x" * 300))
TOO_LONG = f"a line of more than {LIMIT} bytes"


def understood(message, size):
    """What an object means here: itself; nothing where it says so."""
    return None if "nothing" in message else (message, size)


def lines():
    return Lines(understood, LIMIT)


def in_pieces(data, cuts):
    made, edges = lines(), sorted({0, len(data), *(cut % (len(data) + 1) for cut in cuts)})
    pieces = [data[start:end] for start, end in pairwise(edges)]
    return [message for piece in pieces for message in made.receive(piece)]


@given(st.lists(LINES, max_size=8), st.lists(st.integers(0, 10_000), max_size=12))
def test_any_bytes_in_any_pieces_are_read_as_in_one_piece(given_lines, cuts):
    data = b"\n".join(given_lines)
    assert repr(in_pieces(data, cuts)) == repr(lines().receive(data))  # a NaN is not equal to itself


@given(st.lists(st.binary(max_size=60), max_size=30))
def test_any_bytes_are_read_without_an_error(pieces):
    made = lines()
    for piece in pieces:
        for message in made.receive(piece):
            assert isinstance(message, Skipped | tuple)


@given(st.dictionaries(st.text(max_size=8), JSON, max_size=4))
def test_what_is_sent_is_one_line_and_reads_as_what_it_was(message):
    line = as_line(message)
    assert (line.count(b"\n"), line[-1:]) == (1, b"\n")
    assert repr(read_line(line)) == repr(json.loads(json.dumps(message)))


def test_messages_come_in_order_with_their_sizes():
    made = lines()
    assert made.receive(b'{"a": 1}\r\n{"b"') == [({"a": 1}, 9)]
    assert made.receive(b': 2}\n{"c": 3}\n') == [({"b": 2}, 8), ({"c": 3}, 8)]


def test_what_means_nothing_is_left_out():
    assert lines().receive(b'{"nothing": 1}\n{"a": 1}\n') == [({"a": 1}, 8)]


def test_empty_lines_mean_nothing():
    assert lines().receive(b"\n \r\n\n") == []


@pytest.mark.parametrize(
    "line",
    [b"no json", b"\xff\xfe", b'{"a": "\xff"}', b"[" * 100_000, b'{"id": ' + b"9" * 10_000 + b"}"],
)
def test_what_json_cannot_read_is_passed_over_and_told(line):
    assert read_line(line) == Skipped(reason="a line that is no JSON", size=len(line))
    first, second = Lines(understood).receive(line + b'\n{"a": 1}\n')
    assert (first, second) == (Skipped(reason="a line that is no JSON", size=len(line)), ({"a": 1}, 8))


@pytest.mark.parametrize("line", [b"[1]", b"1", b'"x"', b"null", b"NaN", b"[{}]"])
def test_what_is_no_object_is_passed_over_and_told(line):
    skipped = Skipped(reason="a line that is no JSON object", size=len(line))
    assert read_line(line) == skipped
    assert lines().receive(line + b"\n") == [skipped]


def test_a_line_that_is_too_long_is_passed_over_and_the_next_one_read():
    data = b'{"a": "' + b"x" * LIMIT + b'"}\n{"b": 1}\n'
    assert lines().receive(data) == [Skipped(reason=TOO_LONG, size=LIMIT + 9), ({"b": 1}, 8)]


def test_a_line_as_long_as_it_may_be_is_read():
    line = b'{"a": "' + b"x" * (LIMIT - 9) + b'"}'
    assert lines().receive(line + b"\n") == [({"a": "x" * (LIMIT - 9)}, LIMIT)]
    assert in_pieces(line + b"\n", [50, 100, 150]) == [({"a": "x" * (LIMIT - 9)}, LIMIT)]


def test_a_line_beyond_the_limit_is_passed_over_without_being_kept():
    made = lines()
    for _ in range(50):
        assert made.receive(b"x" * 10) == []
        assert len(made._line) <= LIMIT
    assert made.receive(b'\n{"a": 1}\n') == [Skipped(reason=TOO_LONG, size=500), ({"a": 1}, 8)]


def test_a_line_that_never_ends_is_not_kept():
    made = lines()
    for _ in range(100):
        assert made.receive(b"x" * LIMIT) == []
    assert len(made._line) <= LIMIT


def test_a_long_line_is_read_whole():
    message = {"content": "x" * 3_000_000}
    data = as_line(message)
    pieces = [data[start : start + 65536] for start in range(0, len(data), 65536)]
    made = Lines(understood)
    assert [told for piece in pieces for told in made.receive(piece)] == [(message, len(data) - 1)]


def test_half_of_a_surrogate_pair_becomes_text_that_can_be_stored():
    assert read_line(b'{"message": "a\\ud83d b", "\\uDE00": [1, "\\udc00"]}') == {
        "message": "a\ufffd b",
        "\ufffd": [1, "\ufffd"],
    }
    assert read_line(b'{"message": "\\ud83d\\ude00"}') == {"message": "\U0001f600"}


def test_numbers_that_strict_json_has_not_are_read():
    assert read_line(b'{"a": Infinity}') == {"a": float("inf")}


def test_text_that_cannot_be_encoded_is_sent_all_the_same():
    line = as_line({"text": "a\ud83db\n\u2028"})
    assert json.loads(line) == {"text": "a?b\n\u2028"}
    assert line.count(b"\n") == 1
