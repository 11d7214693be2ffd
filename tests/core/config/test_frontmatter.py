"""The head of a Markdown file."""

from __future__ import annotations

import pytest

from relaykit.config.frontmatter import split_head, text_of, words


@pytest.mark.parametrize(
    ("text", "head", "body"),
    [
        ("plain", {}, "plain"),
        ("---\na: 1\nb: 'x: y'\n# no\n---\n\nbody\n", {"a": "1", "b": "x: y"}, "body\n"),
        ("---\na: |\n  one\n  two\nb:\n---\nx", {"a": "one two", "b": ""}, "x\n"),
        ("\ufeff---\na: b\n---\n", {"a": "b"}, "\n"),
        ("---\na:\n  - Read\n  - 'x, y'\nb: 1\n---\nx", {"a": ["Read", "x, y"], "b": "1"}, "x\n"),
        ("---\na:\n- Bash(git:*)\n- Read\n---\nx", {"a": ["Bash(git:*)", "Read"]}, "x\n"),
        ("---\na:\n  - one\n    two\n---\nx", {"a": ["one two"]}, "x\n"),
        ("---\na: |\n  - no\n  - list\n---\nx", {"a": "- no - list"}, "x\n"),
        ("---\na: one\n  - two\n---\nx", {"a": "one - two"}, "x\n"),
    ],
)
def test_the_head_of_a_markdown_file_is_read(text, head, body):
    assert split_head(text) == (head, body)


@pytest.mark.parametrize(
    ("value", "listed"),
    [
        ("[Read, 'Grep']", ["Read", "Grep"]),
        ("Read, Grep", ["Read", "Grep"]),
        (["Read", "x, y"], ["Read", "x, y"]),
        ("[]", []),
        ("", None),
        (None, None),
    ],
)
def test_a_list_in_a_head_has_commas_or_lines(value, listed):
    assert words(value) == listed


def test_a_list_is_no_text():
    assert [text_of({"a": "b"}, key) for key in "ab"] == ["b", ""]
    with pytest.raises(ValueError, match="'a' in its head is a list; write it as one text"):
        text_of({"a": ["b"]}, "a")
