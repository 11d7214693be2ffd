"""What becomes of a delivery, case by case."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from relaykit.model import Delivery, Fault, Origin, Outcome, PastTurn, Priority, State, Step, Whose, Wish
from relaykit.relay.delivering.turns import EndedTurn
from relaykit.relay.delivering.verdicts import Next, Verdict, never_handed_over, of_ended, of_history, of_refusal

DELIVERY = Delivery(
    id=1,
    message="m",
    recipient="a",
    state=State.SEEN,
    reason="",
    priority=Priority.LATER,
    attempt=1,
    deaths=0,
    owner="o",
    epoch=1,
    submission="s1",
    session="x",
    turn="t1",
    wish=None,
    held=False,
    steps=(),
)
TURN = EndedTurn(
    id="t1",
    origin=Origin.SUBMISSION,
    outcome=Outcome.COMPLETED,
    submissions=("s1",),
    text="done",
    worked=True,
    fault=None,
    by="provider",
)


def judge(outcome: Outcome, *, wish: Wish | None = None, fault: Whose | None = None, **turn: object) -> Verdict:
    blame = Fault(whose=fault, code="c", message="why") if fault else None
    ended = replace(TURN, outcome=outcome, fault=blame, **turn)
    return of_ended(ended, replace(DELIVERY, wish=wish))


def test_a_completed_turn_is_the_answer() -> None:
    verdict = judge(Outcome.COMPLETED)
    assert (verdict.next, verdict.state, verdict.text) == (Next.SETTLE, State.ANSWERED, "done")


@pytest.mark.parametrize("wish", [Wish.NOW, Wish.INTERRUPT])
def test_a_turn_that_completes_empty_after_our_wish_was_interrupted_and_never_an_empty_answer(wish: Wish) -> None:
    assert judge(Outcome.COMPLETED, wish=wish, text="").state is State.INTERRUPTED


def test_a_turn_that_completes_in_spite_of_our_wish_is_an_answer() -> None:
    assert judge(Outcome.COMPLETED, wish=Wish.NOW).state is State.ANSWERED


@pytest.mark.parametrize("outcome", list(Outcome))
def test_a_cancelled_delivery_ends_cancelled_however_its_turn_ended(outcome: Outcome) -> None:
    assert judge(outcome, wish=Wish.CANCEL).state is State.CANCELLED


@pytest.mark.parametrize("wish", [Wish.NOW, Wish.INTERRUPT])
def test_an_interruption_that_was_wished_for_ends_interrupted_with_the_partial_text(wish: Wish) -> None:
    verdict = judge(Outcome.INTERRUPTED, wish=wish, text="half")
    assert (verdict.state, verdict.text) == (State.INTERRUPTED, "half")


def test_a_turn_that_a_stop_interrupted_is_left_for_the_next_start() -> None:
    assert judge(Outcome.INTERRUPTED, wish=Wish.STOP).next is Next.LEAVE


def test_a_turn_that_died_with_its_process_is_left_for_recovery() -> None:
    assert judge(Outcome.INTERRUPTED, by="process").next is Next.LEAVE


@pytest.mark.parametrize("whose", [Whose.AGENT, Whose.RELAY])
def test_the_agents_own_fault_or_ours_before_any_work_releases_the_message_and_rests_the_agent(whose: Whose) -> None:
    verdict = judge(Outcome.FAILED, fault=whose, worked=False)
    assert verdict.next is Next.RELEASE
    assert verdict.pause is not None


@pytest.mark.parametrize("whose", [Whose.AGENT, Whose.RELAY])
def test_the_agents_own_fault_or_ours_after_work_is_gone_on_with_and_never_begun_anew(whose: Whose) -> None:
    verdict = judge(Outcome.FAILED, fault=whose, worked=True)
    assert verdict.next is Next.CONTINUE
    assert verdict.pause is not None


def test_the_turns_fault_fails_it_with_the_partial_text_and_rests_nobody() -> None:
    verdict = judge(Outcome.FAILED, fault=Whose.TURN, text="half")
    assert (verdict.state, verdict.text, verdict.pause) == (State.FAILED, "half", None)


def test_a_message_that_the_provider_refuses_is_dead_at_once() -> None:
    assert of_refusal(Fault(whose=Whose.MESSAGE, code="too_large", message="too large"), DELIVERY).state is State.DEAD


def recall(*turns: PastTurn, on_interrupted: str = "continue", **delivery: object) -> Verdict:
    return of_history(replace(DELIVERY, **delivery), turns, known=True, on_interrupted=on_interrupted)


def past(outcome: Outcome | None, *, submissions: tuple[str, ...] = ("s1",), text: str = "") -> PastTurn:
    return PastTurn(id="t1", submissions=submissions, outcome=outcome, text=text, worked=True)


def test_a_turn_that_failed_since_its_process_died_was_cut_off_and_is_left_to_no_other_recovery() -> None:
    died = Fault(whose=Whose.PROCESS, code="died", message="the process died")
    assert recall(replace(past(Outcome.FAILED), fault=died)).next is Next.CONTINUE


def test_what_history_does_not_have_is_handed_over_again() -> None:
    assert recall(past(Outcome.COMPLETED, submissions=("other",))).next is Next.REDELIVER


BEGUN = (State.QUEUED, State.LEASED, State.DELIVERED, State.SEEN)


@pytest.mark.parametrize(
    ("states", "after"),
    [
        ((*BEGUN, State.LEASED), Next.CONTINUE),
        ((*BEGUN, State.LEASED, State.DELIVERED), Next.CONTINUE),
        (BEGUN, Next.REDELIVER),  # it is this attempt that history lacks
        ((*BEGUN, State.QUEUED, State.LEASED), Next.REDELIVER),  # its turn had done nothing, so it was queued again
    ],
)
def test_where_history_lacks_only_the_word_to_go_on_the_turn_was_cut_off(
    states: tuple[State, ...], after: Next
) -> None:
    steps = tuple(Step(state=state, at=1.0) for state in states)
    verdict = recall(past(Outcome.COMPLETED, submissions=("other",)), steps=steps)
    assert (verdict.next, verdict.quoted) == (after, after is Next.CONTINUE)


def test_a_turn_that_finished_meanwhile_is_settled_from_history() -> None:
    verdict = recall(past(Outcome.COMPLETED, text="done"))
    assert (verdict.state, verdict.text) == (State.ANSWERED, "done")


def test_a_fault_of_the_agent_that_history_tells_of_rests_it_no_second_time() -> None:
    failed = replace(past(Outcome.FAILED), fault=Fault(whose=Whose.AGENT, code="429", message="too many"))
    assert (recall(failed).next, recall(failed).pause) == (Next.CONTINUE, None)
    assert recall(replace(failed, worked=False)).next is Next.RELEASE


@pytest.mark.parametrize("outcome", [None, Outcome.INTERRUPTED])
def test_a_turn_that_was_cut_off_is_gone_on_with(outcome: Outcome | None) -> None:
    assert recall(past(outcome)).next is Next.CONTINUE


def test_a_turn_that_was_cut_off_is_begun_anew_or_failed_only_where_the_configuration_says_so() -> None:
    assert recall(past(None), on_interrupted="redeliver").next is Next.REDELIVER
    assert recall(past(None), on_interrupted="fail").state is State.FAILED


def test_a_turn_that_a_recorded_wish_interrupted_ends_as_the_wish_says() -> None:
    assert recall(past(Outcome.INTERRUPTED), wish=Wish.INTERRUPT).state is State.INTERRUPTED
    assert recall(past(Outcome.INTERRUPTED), wish=Wish.CANCEL).state is State.CANCELLED


@pytest.mark.parametrize("turns", [(), (past(None, text="half"),)])
@pytest.mark.parametrize(
    ("wish", "state"),
    [(Wish.CANCEL, State.CANCELLED), (Wish.INTERRUPT, State.INTERRUPTED), (Wish.NOW, State.INTERRUPTED)],
)
def test_what_someone_wished_away_is_never_handed_over_again(
    turns: tuple[PastTurn, ...], wish: Wish, state: State
) -> None:
    assert recall(*turns, wish=wish).state is state


def test_nor_is_it_where_nothing_tells_what_became_of_it() -> None:
    cancelled = replace(DELIVERY, wish=Wish.CANCEL)
    assert of_history(cancelled, None, known=False, on_interrupted="redeliver").state is State.CANCELLED


def test_a_turn_that_a_stop_interrupted_is_gone_on_with() -> None:
    assert recall(past(Outcome.INTERRUPTED), wish=Wish.STOP).next is Next.CONTINUE


def test_the_second_death_is_the_last_whatever_history_says() -> None:
    assert recall(past(Outcome.COMPLETED, text="done"), deaths=2).state is State.DEAD


def test_what_a_readable_history_lacks_and_nobody_took_was_not_handed_over() -> None:
    leased = replace(DELIVERY, state=State.LEASED)
    assert never_handed_over(leased, [])
    assert not never_handed_over(replace(DELIVERY, state=State.DELIVERED), [])
    assert not never_handed_over(leased, [past(None)])
    assert not never_handed_over(leased, None)


@pytest.mark.parametrize(
    ("state", "after"),
    [(State.LEASED, Next.RELEASE), (State.DELIVERED, Next.RELEASE), (State.SEEN, Next.REDELIVER)],
)
def test_what_may_have_expired_before_it_was_seen_goes_back_to_the_queue_which_knows(state: State, after: Next) -> None:
    delivery = replace(
        DELIVERY, state=State.LEASED, steps=(Step(state, 1.0), Step(State.QUEUED, 2.0), Step(State.LEASED, 2.0))
    )
    verdict = of_history(delivery, (), known=True, on_interrupted="continue", expires=True)
    assert verdict.next is after


@pytest.mark.parametrize("deaths", [0, 2])
def test_what_a_detached_process_runs_or_finished_goes_on_or_is_settled_whoever_died(deaths: int) -> None:
    delivery = replace(DELIVERY, deaths=deaths)

    def judged(outcome: Outcome | None) -> Verdict:
        return of_history(delivery, [past(outcome)], known=True, on_interrupted="continue", detached=True)

    assert judged(None).next is Next.BIND
    assert judged(Outcome.COMPLETED).state is State.ANSWERED
    assert judged(Outcome.INTERRUPTED).next is (Next.SETTLE if deaths else Next.CONTINUE)


@pytest.mark.parametrize("known", [True, False])
def test_what_nobody_can_tell_ends_unknown(known: bool) -> None:
    verdict = of_history(DELIVERY, None, known=known, on_interrupted="continue")
    assert verdict.state is State.UNKNOWN


@pytest.mark.parametrize(("wish", "what"), [(None, "a process died"), (Wish.STOP, "the relay was stopped")])
def test_what_nobody_can_tell_says_why_its_turn_ended(wish: Wish | None, what: str) -> None:
    verdict = of_history(replace(DELIVERY, wish=wish), None, known=False, on_interrupted="continue")
    assert verdict.reason == f"it was handed over, then {what}, and the provider keeps no history"


def test_what_nobody_can_tell_is_begun_anew_only_where_the_configuration_says_so() -> None:
    assert of_history(DELIVERY, None, known=False, on_interrupted="redeliver").next is Next.REDELIVER
