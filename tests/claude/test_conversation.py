"""What claude says, told as occurrences, where that depends on the order of things."""

from __future__ import annotations

from relaykit.model import Origin, TurnEnded, TurnJoined, TurnStarted
from relaykit_claude.conversation import Conversation
from relaykit_claude.protocol import Told

INIT = Told("init", {"uuid": "init", "session_id": "s"})


def lifecycle(name, state):
    return Told("command_lifecycle", {"command_uuid": name, "state": state})


def result(*names, **more):
    well = {"subtype": "success", "is_error": False, "terminal_reason": "completed", "result": "done"}
    return Told("result", {"uuid": "result", **well, "user_message_uuids": [*names], **more})


def hear(conversation, *messages):
    return [what for message in messages for what in conversation.told(message)]


def origins(occurrences):
    return [(what.turn, what.origin) for what in occurrences if isinstance(what, TurnStarted)]


def test_a_turn_that_begins_by_itself_while_a_submission_waits_is_not_its_turn():
    conversation = Conversation("s")
    conversation.sent("A")
    told = hear(conversation, lifecycle("A", "queued"), INIT, result(origin={"kind": "task-notification"}))
    assert origins(told) == [("init", Origin.PROVIDER)]
    told = hear(conversation, lifecycle("A", "started"), INIT, result("A"))
    assert origins(told) == [("A", Origin.SUBMISSION)]
    assert [what.submissions for what in told if isinstance(what, TurnEnded)] == [("A",)]


def test_a_turn_of_a_claude_that_does_not_say_what_started_is_the_one_that_waits():
    conversation = Conversation("s")
    conversation.sent("A")
    assert origins(hear(conversation, INIT)) == [("init", Origin.SUBMISSION)]


def test_a_command_of_our_own_is_forgotten_once_its_turn_has_ended_or_never_comes():
    conversation = Conversation("s")
    for state in ("started", "completed"):
        conversation.commands.add("C")
        conversation.sent("C")
        told = hear(conversation, lifecycle("C", state), *([INIT, result("C")] if state == "started" else []))
        assert [what.turn for what in told if isinstance(what, TurnEnded)] == ["C"]
        assert not conversation.commands


def test_a_turn_that_begins_with_its_names_is_theirs():
    conversation = Conversation("s")
    conversation.sent("A")
    told = hear(conversation, Told("init", {**INIT.data, "user_message_uuids": ["A"]}))
    assert origins(told) == [("A", Origin.SUBMISSION)]
    assert [what.submissions for what in told if isinstance(what, TurnJoined)] == [("A",)]
