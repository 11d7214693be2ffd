"""What a request of Claude's comes to for the person who decides it."""

from __future__ import annotations

import pytest

from relaykit_claude.approvals import opened
from relaykit_claude.protocol import Asked


def question(command):
    request = {"subtype": "can_use_tool", "tool_name": "Bash", "input": {"command": command}}
    return opened(Asked("1", "can_use_tool", request), "turn-1", {}).question


@pytest.mark.parametrize("command", ["make " + "target " * 60 + "&& rm -rf /", "ls\nrm -rf /", "echo 'a  b'"])
def test_a_command_of_which_the_title_is_not_the_whole_is_whole_in_the_detail(command):
    assert question(command).title != command
    assert question(command).detail == command


def test_a_command_that_the_title_holds_is_told_once():
    assert (question("ls -l").title, question("ls -l").detail) == ("ls -l", "")
