"""Reading JSON that may be anything."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from relaykit.plugin.fields import decimal, identifier, number, rows, strings, table, text

DATA = {"a": {"b": {"text": "x", "whole": 3, "part": 0.5, "true": True, "rows": [{"n": 1}, 2, "y"], "null": None}}}
READERS = {
    table: lambda found: isinstance(found, dict),
    text: lambda found: isinstance(found, str),
    number: lambda found: found is None or type(found) is int,
    decimal: lambda found: found is None or type(found) is float,
    identifier: lambda found: found is None or type(found) in (int, str),
    rows: lambda found: isinstance(found, list) and all(isinstance(one, dict) for one in found),
    strings: lambda found: isinstance(found, list) and all(isinstance(one, str) for one in found),
}
EMPTY = {table: {}, text: "", number: None, decimal: None, identifier: None, rows: [], strings: []}
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=3),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from("ab"), inner, max_size=2),
    max_leaves=8,
)


def test_what_is_there_is_read():
    assert table(DATA, "a", "b", "rows") == {}
    assert table(DATA, "a") == DATA["a"]
    assert text(DATA, "a", "b", "text") == "x"
    assert number(DATA, "a", "b", "whole") == 3
    assert decimal(DATA, "a", "b", "whole") == 3.0
    assert decimal(DATA, "a", "b", "part") == 0.5
    assert [identifier(DATA, "a", "b", name) for name in ("text", "whole")] == ["x", 3]
    assert rows(DATA, "a", "b", "rows") == [{"n": 1}]
    assert strings(DATA, "a", "b", "rows") == ["y"]


@pytest.mark.parametrize("read", READERS)
@pytest.mark.parametrize(
    "path", [("z",), ("a", "z"), ("a", "b", "null"), ("a", "b", "text", "z"), ("a", "b", "rows", "n")]
)
def test_what_is_not_there_is_empty(read, path):
    assert read(DATA, *path) == EMPTY[read]
    assert read(None, *path) == EMPTY[read]


@pytest.mark.parametrize("read", [number, decimal, identifier])
def test_true_is_no_number(read):
    assert read(DATA, "a", "b", "true") is None


def test_a_number_with_a_part_is_no_whole_one():
    assert number(DATA, "a", "b", "part") is None
    assert identifier(DATA, "a", "b", "part") is None


@pytest.mark.parametrize("said", ["0.1", None, True, [], {}, float("nan"), float("inf"), 10**400])
def test_what_is_no_number_that_can_be_reckoned_with_is_none(said):
    assert decimal({"cost": said}, "cost") is None


@given(JSON, st.lists(st.sampled_from("ab"), max_size=3))
def test_anything_reads_as_what_was_asked_for(data, path):
    for read, fits in READERS.items():
        assert fits(read(data, *path))
