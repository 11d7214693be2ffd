from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from relaykit.model import BlockKind, Decision, Fault, Origin, Outcome, TurnEnded, TurnStarted, Whose
from relaykit.plugin.words import OUTPUT_LIMIT
from relaykit_codex.conversation import Conversation
from relaykit_codex.protocol import Notification, ServerRequest

METHODS = [*Conversation("")._handlers, "warning", "something/new"]
ASKED = ["item/commandExecution/requestApproval", "item/fileChange/requestApproval", "mcpServer/elicitation/request"]
ITEMS = [
    "agentMessage",
    "reasoning",
    "commandExecution",
    "fileChange",
    "mcpToolCall",
    "userMessage",
    "webSearch",
    "new",
]

anything = st.recursive(
    st.none() | st.booleans() | st.integers(0, 3) | st.text(max_size=4),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(max_size=4), inner, max_size=2),
    max_leaves=6,
)
names = st.sampled_from(["a", "b"])
items = st.fixed_dictionaries(
    {"type": st.sampled_from(ITEMS) | anything, "id": names | anything},
    optional=dict.fromkeys(
        ("text", "summary", "changes", "content", "command", "aggregatedOutput", "status", "clientId", "result"),
        anything,
    ),
)
params = st.fixed_dictionaries(
    {"threadId": st.just("thread"), "turnId": names},
    optional={
        "turn": st.fixed_dictionaries({"id": names | anything}, optional={"status": anything, "error": anything}),
        "item": items | anything,
        "itemId": names | anything,
        "delta": anything,
        "tokenUsage": anything,
        "requestId": anything,
        "error": anything,
        "_meta": st.just({"codex_approval_kind": "mcp_tool_call"}) | anything,
        "summary": anything,
    },
)
notes = st.builds(Notification, st.sampled_from(METHODS), params)
requests = st.builds(ServerRequest, st.integers(0, 3), st.sampled_from(ASKED), params)


def note(method, **more):
    return Notification(method, {"threadId": "thread", "turnId": "turn", **more})


def begun(conversation, *submissions):
    for submission in submissions:
        conversation.taken("turn", submission)
    return conversation.told(note("turn/started", turn={"id": "turn"}))


def ended(conversation, status="completed", **more):
    return conversation.told(note("turn/completed", turn={"id": "turn", "status": status, **more}))


@given(st.lists(notes | requests, max_size=20))
def test_no_message_however_odd_is_an_error(messages):
    conversation = Conversation("thread")
    for message in messages:
        if isinstance(message, Notification):
            conversation.told(message)
        else:
            conversation.asked(message)
    conversation.cut(Fault(whose=Whose.PROCESS, code="died", message="gone"))
    assert conversation.running is None


@given(st.lists(notes, max_size=20))
def test_whatever_comes_a_turn_ends_at_most_once_and_with_all_blocks_closed(messages):
    conversation, running, blocks = Conversation("thread"), None, set()
    for message in messages:
        for what in conversation.told(message):
            match what.kind:
                case "turn_started":
                    assert running is None
                    running = what.turn
                case "turn_ended":
                    assert running == what.turn
                    assert not blocks
                    running = None
                case "block_started":
                    blocks.add(what.block.id)
                case "block_delta":
                    assert what.block in blocks
                case "block_ended":
                    blocks.discard(what.block.id)


def test_a_turn_that_nobody_asked_for_is_the_providers():
    assert begun(Conversation("thread")) == [TurnStarted(turn="turn", origin=Origin.PROVIDER)]


def test_a_turn_that_begins_before_its_request_is_answered_is_ours():
    conversation = Conversation("thread")
    conversation.starting(1)
    assert begun(conversation) == [TurnStarted(turn="turn", origin=Origin.SUBMISSION)]
    conversation.taken("turn", "mine")
    assert ended(conversation)[-1].submissions == ("mine",)


def test_a_turn_that_ends_without_having_begun_still_names_its_submission():
    conversation = Conversation("thread")
    conversation.taken("turn", "mine")
    assert ended(conversation, "interrupted") == [
        TurnEnded(turn="turn", outcome=Outcome.INTERRUPTED, submissions=("mine",))
    ]


def test_what_other_threads_do_means_nothing_here():
    conversation = Conversation("thread")
    assert conversation.told(Notification("turn/started", {"threadId": "other", "turn": {"id": "x"}})) == []
    assert conversation.running is None


def test_the_answer_is_the_last_text_that_is_no_comment_on_the_way():
    conversation = Conversation("thread")
    begun(conversation)
    for number, (said, phase) in enumerate(
        [("one", None), ("the answer", "final_answer"), ("by the way", "commentary")]
    ):
        item = {"type": "agentMessage", "id": f"m{number}", "text": said, "phase": phase}
        conversation.told(note("item/completed", item=item))
    assert ended(conversation)[-1].text == "the answer"


def test_a_turn_with_comments_alone_is_answered_by_the_last():
    conversation = Conversation("thread")
    begun(conversation)
    item = {"type": "agentMessage", "id": "m", "text": "all I said", "phase": "commentary"}
    conversation.told(note("item/completed", item=item))
    assert ended(conversation)[-1].text == "all I said"


def test_a_failed_turn_has_a_fault_even_where_codex_gives_none():
    conversation = Conversation("thread")
    begun(conversation, "mine")
    last = ended(conversation, "failed")[-1]
    assert (last.outcome, last.fault.whose, last.submissions) == (Outcome.FAILED, Whose.TURN, ("mine",))


def test_an_item_of_a_kind_that_is_not_known_is_kept_raw():
    conversation = Conversation("thread")
    begun(conversation)
    item = {"type": "hologram", "id": "h", "depth": 3}
    (what,) = conversation.told(note("item/completed", item=item))
    assert (what.block.kind, what.block.name, what.block.data) == (BlockKind.SYSTEM, "hologram", {"raw": item})


def test_one_that_is_too_long_is_kept_by_name():
    conversation = Conversation("thread")
    begun(conversation)
    item = {"type": "hologram", "id": "h", "depth": "x" * OUTPUT_LIMIT}
    (what,) = conversation.told(note("item/completed", item=item))
    assert what.block.data["raw"]["id"] == "h"
    assert what.block.data["raw"]["characters"] > OUTPUT_LIMIT


def test_output_is_kept_by_its_beginning_and_its_end():
    conversation = Conversation("thread")
    begun(conversation)
    item = {"type": "commandExecution", "id": "c", "command": "yes", "aggregatedOutput": "a" * 10**6 + "z" * 10**6}
    use, result = conversation.told(note("item/completed", item=item))
    assert use.block.kind is BlockKind.TOOL_USE
    assert result.block.text.startswith("aaa")
    assert result.block.text.endswith("zzz")
    assert "1934464 characters left out" in result.block.text


def test_output_beyond_the_limit_is_not_passed_on():
    conversation = Conversation("thread")
    begun(conversation)
    conversation.told(note("item/started", item={"type": "commandExecution", "id": "c", "command": "yes"}))
    bits = [
        conversation.told(note("item/commandExecution/outputDelta", itemId="c", delta="y" * 1000)) for _ in range(500)
    ]
    passed_on = [what for bit in bits for what in bit if what.kind == "block_delta"]
    assert len(passed_on) == OUTPUT_LIMIT // 1000 + 1


def test_usage_is_what_was_spent_since_the_last_report():
    conversation = Conversation("thread")
    begun(conversation)

    def report(spent, context):
        total, last = {"inputTokens": spent}, {"totalTokens": context, "inputTokens": 7}
        return conversation.told(note("thread/tokenUsage/updated", tokenUsage={"total": total, "last": last}))

    assert [
        what.input_tokens for spent, context in [(107, 9), (150, 12), (150, 12)] for what in report(spent, context)
    ] == [
        7,
        43,
    ]


def command(conversation, request=0, **more):
    params = {"threadId": "thread", "turnId": "turn", "itemId": "c", **more}
    return conversation.asked(ServerRequest(request, "item/commandExecution/requestApproval", params))


@pytest.mark.parametrize(
    ("decision", "word"),
    [
        (Decision.APPROVE, "accept"),
        (Decision.APPROVE_FOR_SESSION, "acceptForSession"),
        (Decision.DENY, "decline"),
        (Decision.ABORT, "cancel"),
    ],
)
def test_a_decision_has_its_word(decision, word):
    conversation = Conversation("thread")
    begun(conversation)
    (asked,) = command(conversation, command="ls")
    found = conversation.answer(asked.question.key)
    assert (found.request, found.answers[decision]) == (0, {"decision": word})


def test_a_question_is_answered_once():
    conversation = Conversation("thread")
    begun(conversation)
    (asked,) = command(conversation, command="ls")
    assert conversation.answer(asked.question.key)
    assert conversation.answer(asked.question.key) is None
    assert conversation.answer("another") is None


def test_what_is_resolved_under_no_id_leaves_every_question_open():
    conversation = Conversation("thread")
    (asked,) = command(conversation, 1, command="ls")
    assert conversation.told(note("serverRequest/resolved", requestId=True)) == []
    assert conversation.answer(asked.question.key)


def test_two_questions_about_one_item_are_two():
    conversation = Conversation("thread")
    begun(conversation)
    (one,), (two,) = command(conversation, 0, command="ls"), command(conversation, 1, command="ls")
    assert one.question.key != two.question.key


@pytest.mark.parametrize(
    ("told", "shown"),
    [
        ("/bin/bash -lc 'rm -rf build'", "rm -rf build"),
        ("bash -c ls", "ls"),
        ("/bin/bash -lc 'ls' extra", "/bin/bash -lc 'ls' extra"),
        ("/bin/bash --init-file evil -lc ls", "/bin/bash --init-file evil -lc ls"),
        ("evil -lc ls", "evil -lc ls"),
        ("/workspace/bash -lc ls", "/workspace/bash -lc ls"),
        ("bash -lc 'unbalanced", "bash -lc 'unbalanced"),
    ],
)
def test_a_command_is_shown_as_the_shell_gets_it(told, shown):
    conversation = Conversation("thread")
    begun(conversation)
    (asked,) = command(conversation, command=told)
    assert asked.question.title == shown


def test_a_command_of_several_lines_is_whole_in_the_detail():
    conversation = Conversation("thread")
    begun(conversation)
    (asked,) = command(conversation, command="/bin/bash -lc 'one\ntwo'", reason="because", cwd="/here")
    assert asked.question.title == "one two"
    assert asked.question.detail == "because\nin /here\none\ntwo"


def test_a_long_command_is_whole_in_the_detail():
    conversation = Conversation("thread")
    begun(conversation)
    (asked,) = command(conversation, command="echo " + "x" * 1000)
    assert len(asked.question.title) < 400
    assert "x" * 1000 in asked.question.detail


def test_a_host_is_asked_for_as_network():
    conversation = Conversation("thread")
    begun(conversation)
    (asked,) = command(conversation, command="curl x", networkApprovalContext={"host": "example.org"})
    assert (asked.question.action, asked.question.title) == ("network", "connect to example.org")
    assert "curl x" in asked.question.detail


def test_an_elicitation_that_is_no_tool_call_is_refused():
    request = ServerRequest(0, "mcpServer/elicitation/request", {"threadId": "thread", "message": "Your password?"})
    assert Conversation("thread").asked(request) is None
