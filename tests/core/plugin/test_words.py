"""Words of a program, made fit for a fault."""

from __future__ import annotations

import pytest

from relaykit.plugin.words import one_line, plain


def test_a_message_becomes_one_line():
    assert one_line("  it\n\tfailed \r\n here ") == "it failed here"


def test_what_is_cut_shows_it():
    assert one_line("x" * 300) == "x" * 300
    assert one_line("x" * 301) == "x" * 299 + "…"
    assert one_line("a b\nc", limit=4) == "a b…"


@pytest.mark.parametrize("key", ["sk-proj-abcdefgh12345678", "eyJhbGciOiJIUzI1NiJ9.e30.abc"])
def test_no_key_is_in_a_plain_message(key):
    assert plain(f"Incorrect API key\nprovided: {key}, see") == f"Incorrect API key provided: {key[:3]}***, see"


def test_a_key_is_gone_also_where_the_line_is_cut_within_it():
    assert "abcdefgh" not in plain("x " * 145 + "sk-proj-abcdefgh12345678")
