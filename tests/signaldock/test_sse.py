"""Bytes in any pieces become the same frames."""

from __future__ import annotations

import json
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from relaykit.model import Limits
from relaykit_signaldock.dock.feed import event
from relaykit_signaldock.sse import Frame, OversizeError, Parser

FIELDS = (b"data", b"id: 7", b"id", b"event: message", b"retry: 5", b": comment", 'data: {"content": "ü"}'.encode())
BYTES = (b": ", b":", b"x", b"\n", b"\r", b"\r\n", b"\n\n", b"\0", b"\xff", b"\xef\xbb\xbf")
PIECES = st.sampled_from((*FIELDS, *BYTES))


def frames(*pieces: bytes) -> list[Frame]:
    parser = Parser()
    return [frame for piece in pieces for frame in parser.feed(piece)]


@given(st.lists(PIECES | st.binary(max_size=6)).map(b"".join), st.data())
def test_any_chunking_gives_the_same_frames(data, draw):
    cuts = sorted(draw.draw(st.lists(st.integers(0, len(data)), max_size=8)))
    edges = [0, *cuts, len(data)]
    pieces = [data[start:end] for start, end in pairwise(edges)]
    assert frames(*pieces) == frames(data) == frames(*(bytes([byte]) for byte in data))


@given(st.lists(st.tuples(st.text(min_size=1), st.dictionaries(st.text(), st.text()))))
def test_what_a_server_sends_comes_out(sent):
    good = [(name.replace("\n", "").replace("\r", "").replace("\0", "") or "e", value) for name, value in sent]
    data = b"".join(
        f"event: {name}\ndata: {json.dumps(value)}\n\n".encode("utf-8", "surrogatepass") for name, value in good
    )
    assert [json.loads(frame.data) for frame in frames(data)] == [value for _, value in good]


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (b"data: a\ndata: b\n\n", [Frame("message", "a\nb", None)]),
        (b"data:a\n\n", [Frame("message", "a", None)]),
        (b"data:  a\n\n", [Frame("message", " a", None)]),
        (b"data\n\n", [Frame("message", "", None)]),
        (b"event: x\n\n", []),
        (b"event: x\n\ndata: a\n\n", [Frame("message", "a", None)]),
        (b"id: 1\ndata: a\n\ndata: b\n\n", [Frame("message", "a", "1", named=True), Frame("message", "b", "1")]),
        (b"id: 1\0\ndata: a\n\n", [Frame("message", "a", None)]),
        (
            b": hello\nretry: 5\nfoo: bar\ndata: a\r\rdata: b\r\n\r\n",
            [Frame("message", "a", None), Frame("message", "b", None)],
        ),
        (b"\xef\xbb\xbfdata: a\n\n", [Frame("message", "a", None)]),
        (b"data: a\n", []),
    ],
)
def test_the_rules_of_the_standard(data, expected):
    assert frames(data) == expected


@pytest.mark.parametrize("data", [b"data: " + b"x" * 100, b"data: xxxxxxxx\n" * 20])
def test_a_line_or_a_frame_without_end_is_an_error(data):
    parser = Parser(max_bytes=64)
    with pytest.raises(OversizeError):
        list(parser.feed(data))


@pytest.mark.parametrize("text", ["\x01", "ü", "\U0001f600"], ids=ascii)
def test_the_largest_message_of_a_dock_is_a_frame_however_it_is_escaped(text):
    content = text * (Limits().message_bytes // len(text.encode()))
    [frame] = frames(event("message", {"content": content}))
    assert json.loads(frame.data) == {"content": content}
