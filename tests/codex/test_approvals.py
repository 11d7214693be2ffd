from __future__ import annotations

import pytest

from relaykit.plugin.words import OUTPUT_LIMIT
from relaykit_codex.approvals import asked
from relaykit_codex.protocol import ServerRequest


def change(path, diff="", **kind):
    return {"path": path, "kind": {"type": "update", **kind}, "diff": diff}


def changing(*changes):
    request = ServerRequest(0, "item/fileChange/requestApproval", {"threadId": "thread", "itemId": "f"})
    return asked(request, {"type": "fileChange", "id": "f", "changes": list(changes)}).question


def test_every_file_of_a_change_is_named_however_many_there_are():
    names = [f"/srv/files/of/the/project/number-{number}.txt" for number in range(40)]
    question = changing(*(change(name, "x" * OUTPUT_LIMIT) for name in names))
    assert question.title.startswith(names[0])
    assert [name for name in names if name not in question.detail] == []


@pytest.mark.parametrize("diff", ["", "x" * 3 * OUTPUT_LIMIT])
def test_a_file_that_is_moved_is_named_with_where_it_goes(diff):
    question = changing(change("/repo/a.txt", diff, move_path="/elsewhere/a.txt"))
    assert question.title == "/repo/a.txt, /elsewhere/a.txt"


def test_a_tool_is_asked_for_with_what_an_approval_for_the_session_is_for():
    meta = {"codex_approval_kind": "mcp_tool_call", "tool_name": "send", "tool_params": {"to": "bob"}}
    request = ServerRequest(
        0, "mcpServer/elicitation/request", {"serverName": "mail", "message": "May it?", "_meta": meta}
    )
    detail = 'May it?\n{"to": "bob"}\nApproved for the session, it may be called with anything.'
    assert asked(request, {}).question.detail == detail
