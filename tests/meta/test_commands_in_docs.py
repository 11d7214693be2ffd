"""What the reference says of the commands, from those of plugins too, is all that there is to say."""

from __future__ import annotations

import re
from pathlib import Path

REFERENCE = Path(__file__).parents[2] / "docs" / "reference"
_HELP = re.compile(r"^### relaykit ([^\n]*)\n\n```text\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_FIRST_CELL = re.compile(r"^\|([^|]*)\|", re.MULTILINE)


def helps() -> dict[str, str]:
    """Return the help of every command by its words; that it is the program's own another test holds."""
    return dict(_HELP.findall((REFERENCE / "commands.md").read_text(encoding="utf-8")))


def described() -> set[str]:
    """Return the commands whose JSON has a heading, or a row of a table."""
    page = (REFERENCE / "exit-codes-and-json.md").read_text(encoding="utf-8")
    headings = {heading.lower() for heading in re.findall(r"^### (.*)$", page, re.MULTILINE)}
    return headings | {words for cell in _FIRST_CELL.findall(page) for words in re.findall(r"`([^`]+)`", cell)}


def test_the_commands_of_the_dock_have_their_help_in_the_reference():
    assert {"dock serve", "dock agents add", "dock agents remove", "dock keys reset"} <= set(helps())


def test_every_command_that_prints_json_has_its_document_described():
    assert {words for words, said in helps().items() if "--json" in said} - described() == set()
