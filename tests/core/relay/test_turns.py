"""The fold from occurrences to turns."""

from __future__ import annotations

from time import process_time

from relaykit.model import (
    Block,
    BlockDelta,
    BlockEnded,
    BlockKind,
    BlockStarted,
    Occurrence,
    Origin,
    Outcome,
    PermissionAsked,
    PermissionClosed,
    Question,
    TurnEnded,
    TurnJoined,
    TurnStarted,
)
from relaykit.relay.delivering.turns import EndedTurn, Seen, Turns


def fold(*occurrences: Occurrence) -> list[Seen | EndedTurn]:
    turns = Turns()
    return [fact for what in occurrences for fact in turns.fold(what)]


def started(*submissions: str, turn: str = "t1") -> TurnStarted:
    return TurnStarted(turn=turn, origin=Origin.SUBMISSION, submissions=submissions)


def ended(*submissions: str, turn: str = "t1", outcome: Outcome = Outcome.COMPLETED, text: str = "") -> TurnEnded:
    return TurnEnded(turn=turn, outcome=outcome, submissions=submissions, text=text)


def text_block(text: str = "", *, id: str = "b1", conversation: str = "main") -> Block:
    return Block(id=id, kind=BlockKind.ASSISTANT_TEXT, text=text, conversation=conversation)


def the_end(facts: list[Seen | EndedTurn]) -> EndedTurn:
    ends = [fact for fact in facts if isinstance(fact, EndedTurn)]
    assert len(ends) == 1
    return ends[0]


def test_a_submission_is_seen_once_however_often_it_is_named() -> None:
    facts = fold(started("s1"), TurnJoined(turn="t1", submissions=("s1",)), ended("s1"))
    assert [fact for fact in facts if isinstance(fact, Seen)] == [Seen("s1", "t1")]


def test_a_turn_ends_with_all_submissions_that_were_ever_named_as_part_of_it() -> None:
    facts = fold(started("s1"), TurnJoined(turn="t1", submissions=("s2",)), ended("s3"))
    assert the_end(facts).submissions == ("s1", "s2", "s3")


def test_a_submission_that_only_the_end_names_was_seen_before_it() -> None:
    facts = fold(ended("s1"))
    assert facts[0] == Seen("s1", "t1")
    assert the_end(facts).submissions == ("s1",)


def test_a_turn_that_nobody_asked_for_keeps_its_origin() -> None:
    assert the_end(fold(TurnStarted(turn="t1", origin=Origin.PROVIDER), ended())).origin is Origin.PROVIDER


def test_only_our_message_in_a_turn_is_no_work() -> None:
    message = Block(id="u", kind=BlockKind.USER_MESSAGE, text="hello")
    assert not the_end(fold(started("s1"), BlockEnded(block=message), ended())).worked


def test_anything_else_in_a_turn_is_work() -> None:
    tool = Block(id="c", kind=BlockKind.TOOL_USE, name="shell")
    assert the_end(fold(started("s1"), BlockStarted(block=tool), ended())).worked


def test_a_turn_that_was_interrupted_keeps_the_text_that_was_being_written() -> None:
    facts = fold(
        started("s1"),
        BlockEnded(block=text_block("first", id="a")),
        BlockStarted(block=text_block(id="b")),
        BlockDelta(block="b", text="half a "),
        BlockDelta(block="b", text="sentence"),
        ended(outcome=Outcome.INTERRUPTED),
    )
    assert the_end(facts).text == "half a sentence"


def test_a_block_that_began_with_text_keeps_it_before_its_deltas() -> None:
    facts = fold(
        started("s1"),
        BlockStarted(block=text_block("half a ")),
        BlockDelta(block="b1", text="sentence"),
        BlockStarted(block=text_block(id="b2")),
        ended(outcome=Outcome.INTERRUPTED),
    )
    assert the_end(facts).text == "half a sentence"


def test_what_a_delta_costs_does_not_grow_with_the_text_before_it() -> None:
    turns, delta, count = Turns(), BlockDelta(block="b1", text="twenty characters..."), 100_000
    turns.fold(started("s1"))
    turns.fold(BlockStarted(block=text_block()))
    began = process_time()
    for _ in range(count):
        turns.fold(delta)
    assert process_time() - began < 5  # a copy of it all for each takes half a minute, an addition a tenth of a second
    (over,) = (fact for fact in turns.fold(ended(outcome=Outcome.INTERRUPTED)) if isinstance(fact, EndedTurn))
    assert len(over.text) == count * len(delta.text)


def test_a_turn_that_was_interrupted_between_blocks_keeps_the_last_whole_one() -> None:
    facts = fold(started("s1"), BlockEnded(block=text_block("said")), ended(outcome=Outcome.INTERRUPTED))
    assert the_end(facts).text == "said"


def test_a_subagents_text_is_never_the_turns() -> None:
    facts = fold(
        started("s1"),
        BlockEnded(block=text_block("inner", conversation="sub")),
        ended(outcome=Outcome.INTERRUPTED),
    )
    assert the_end(facts).text == ""


def test_a_completed_turn_says_what_the_provider_says_and_nothing_else() -> None:
    facts = fold(started("s1"), BlockEnded(block=text_block("early")), ended(text="final"))
    assert the_end(facts).text == "final"


def test_open_questions_are_known_until_they_are_closed_or_their_turn_ends() -> None:
    turns = Turns()
    turns.fold(started("s1"))
    for key, turn in (("q1", "t1"), ("q2", "t1"), ("of no turn", None)):
        turns.fold(PermissionAsked(question=Question(key=key, action="command", title="ls", turn=turn)))
    turns.fold(PermissionClosed(key="q1"))
    assert [*turns.questions] == ["q2", "of no turn"]
    turns.fold(ended())
    assert [*turns.questions] == ["of no turn"]
    turns.fold(PermissionClosed(key="of no turn"))
    assert not turns.questions


def test_what_happens_between_turns_belongs_to_none() -> None:
    turns = Turns()
    turns.fold(BlockEnded(block=text_block("stray")))
    assert turns.running is None
