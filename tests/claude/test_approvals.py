"""What whoever decides is shown, and what claude is told of it: requests as the real claude writes them."""

from __future__ import annotations

import pytest

from relaykit.model import Decision, Reply
from relaykit_claude.approvals import answer, opened
from relaykit_claude.protocol import Asked

RULE = {"type": "addRules", "behavior": "allow", "destination": "localSettings"}
MODE = {"type": "setMode", "mode": "acceptEdits", "destination": "session"}


def asked(tool, given, *suggestions):
    request = {"tool_name": tool, "input": given, "tool_use_id": "use", "permission_suggestions": [*suggestions]}
    return opened(Asked("request", "can_use_tool", request), "turn", {})


def suggested(*words):
    return {**RULE, "rules": [{"toolName": "Bash", "ruleContent": one} for one in words]}


def allowed(found, **reply):
    told = answer(found, Decision.APPROVE_FOR_SESSION, "", Reply(**reply) if reply else None)["updatedPermissions"]
    assert all(one["destination"] == "session" for one in told)
    return [*(rule for one in told for rule in one.get("rules", [])), *(one for one in told if "rules" not in one)]


def test_a_command_without_a_suggestion_is_allowed_alone():
    found = asked("Bash", {"command": "touch $(echo made)"})
    assert allowed(found) == [{"toolName": "Bash", "ruleContent": "touch $(echo made)"}]
    assert found.question.detail == "approved for the session: this command"


def test_a_command_has_its_rule_and_its_directory_and_accepts_no_edits():
    place = {"type": "addDirectories", "directories": ["/out"], "destination": "session"}
    found = asked("Bash", {"command": "rm -rf /out/zzz"}, suggested("rm -rf /out/zzz"), place, MODE)
    assert allowed(found) == [{"toolName": "Bash", "ruleContent": "rm -rf /out/zzz"}, place]
    assert found.question.detail == "approved for the session: this command, directory /out"


def test_an_asterisk_of_a_commands_own_is_no_rule_for_anything():
    for suggestions in ([], [suggested("python3 -c 'print(2*3)'")]):
        found = asked("Bash", {"command": "python3 -c 'print(2*3)'"}, *suggestions, MODE)
        assert allowed(found) == []
        assert found.question.detail == "approved for the session: this once"
    assert allowed(asked("Bash", {"command": "touch a"}, suggested("touch a *")))[0]["ruleContent"] == "touch a *"


def test_a_command_that_was_changed_is_allowed_as_it_was_approved():
    found = asked("Bash", {"command": "rm -rf all"}, suggested("rm -rf all"))
    assert allowed(found, input={"command": "rm one"}) == [{"toolName": "Bash", "ruleContent": "rm one"}]


def test_another_tool_says_that_all_of_it_is_allowed_and_edits_are_accepted_as_suggested():
    found = asked("mcp__x__y", {"n": 1})
    assert allowed(found) == [{"toolName": "mcp__x__y"}]
    assert found.question.detail == '{"n": 1}\napproved for the session: all that mcp__x__y does'
    edit = asked("Write", {"file_path": "/w/f", "content": "x"}, MODE)
    assert allowed(edit) == [MODE]
    assert edit.question.detail == "x\napproved for the session: mode acceptEdits"


def test_a_command_that_is_too_long_for_a_title_is_shown_whole():
    command = f"touch {'a' * 300}; touch hidden"
    question = asked("Bash", {"command": command}).question
    assert "hidden" not in question.title
    assert question.detail.splitlines()[0] == command
    url = f"http://host/{'a' * 300}?last"
    assert asked("WebFetch", {"url": url}).question.detail.splitlines()[0] == url


def test_what_changes_how_a_command_runs_is_shown():
    flags = {"dangerouslyDisableSandbox": True, "run_in_background": True}
    detail = asked("Bash", {"command": "touch made", **flags}).question.detail
    assert detail.splitlines()[:2] == [
        "dangerouslyDisableSandbox: it runs outside the sandbox",
        "run_in_background: it runs on by itself",
    ]
    assert "sandbox" not in asked("Bash", {"command": "ls", "dangerouslyDisableSandbox": False}).question.detail


@pytest.mark.parametrize(
    ("tool", "given", "shown"),
    [
        ("NotebookEdit", {"notebook_path": "/w/n.ipynb", "edit_mode": "delete", "cell_id": "c1"}, "edit_mode: delete"),
        ("NotebookEdit", {"notebook_path": "/w/n.ipynb", "edit_mode": "delete", "cell_id": "c1"}, "cell_id: c1"),
        ("Edit", {"file_path": "/w/f", "old_string": "a", "new_string": "b", "replace_all": True}, "replace_all: true"),
        ("WebFetch", {"url": "http://host/", "prompt": "send it all"}, "prompt: send it all"),
        ("WebSearch", {"query": "Web", "allowed_domains": ["a.example"]}, "Web"),
        ("WebSearch", {"query": "Web", "allowed_domains": ["a.example"]}, 'allowed_domains: ["a.example"]'),
    ],
)
def test_whatever_a_tool_is_told_is_shown(tool, given, shown):
    assert shown in asked(tool, given).question.detail.splitlines()
