"""What a program says, made fit for a fault, a question or a block."""

from __future__ import annotations

import pytest

from relaykit.plugin.words import OUTPUT_LIMIT, capped, one_line, without_keys


def test_a_message_becomes_one_line():
    assert one_line("  it\n\tfailed \r\n here ") == "it failed here"


def test_what_is_cut_shows_it():
    assert one_line("x" * 300) == "x" * 300
    assert one_line("x" * 301) == "x" * 299 + "…"
    assert one_line("a b\nc", limit=4) == "a b…"


@pytest.mark.parametrize("key", ["sk-proj-abcdefgh12345678", "eyJhbGciOiJIUzI1NiJ9.e30.abc"])
def test_no_key_is_left(key):
    assert without_keys(f"Incorrect API key\nprovided: {key}, see") == f"Incorrect API key provided: {key[:3]}***, see"


def test_a_key_is_gone_also_where_the_line_is_cut_within_it():
    assert "abcdefgh" not in without_keys("x " * 145 + "sk-proj-abcdefgh12345678")


def test_an_output_is_kept_whole_up_to_the_limit():
    assert capped("x" * OUTPUT_LIMIT) == "x" * OUTPUT_LIMIT


def test_of_a_longer_output_its_beginning_and_its_end_are_kept():
    half = OUTPUT_LIMIT // 2
    kept = capped("a" * half + "left out" + "z" * half)
    assert kept == "a" * half + "\n… 8 characters left out …\n" + "z" * half
