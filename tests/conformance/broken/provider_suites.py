"""The suite over each broken provider, with the names of the checks that have to fail."""

# ruff: noqa: RUF012 - the suite declares them as class variables

from __future__ import annotations

import pytest

from relaykit.testing.provider import ProviderSuite

INTERRUPT = "test_an_interrupt_ends_the_turn_and_leaves_the_session_usable"
TAKEN_BACK = "test_what_was_taken_back_is_in_no_turn_and_all_else_is"
BEGUN = "test_what_was_begun_with_is_not_taken_back"
DENIED = "test_a_denial_closes_the_question_and_the_turn_ends"
REPLIED = "test_a_reply_closes_the_question_and_the_turn_goes_on"
STRANGE = "test_a_reply_that_nobody_waits_for_is_passed_over"
MODEL = "test_another_model_is_told_and_leaves_the_session_usable"
ONE_END = "test_a_submission_is_named_by_exactly_one_ended_turn"


class OnAsyncio:
    """One backend shows the fault; the importing is tried once, not once for each."""

    test_importing_the_plugin_is_cheap = None

    @pytest.fixture
    def anyio_backend(self):
        return "asyncio"


class Broken(OnAsyncio, ProviderSuite):
    plugin = "broken_providers"
    bad_options = {"delay": -1}
    long_options = {"delay": 3600}
    asking_text = "ask first"
    patience = 5.0
    fails = frozenset()

    def __init_subclass__(cls) -> None:
        cls.provider = cls.__dict__.get("provider", cls.__name__)
        super().__init_subclass__()


class GoodSession(Broken):
    pass


class ProviderWithAProcess(Broken):
    pass


class SaysNoEndWhenInterrupted(Broken):
    fails = {INTERRUPT, "test_a_joined_submission_is_named_by_the_running_turn_or_its_own", TAKEN_BACK, BEGUN}
    patience = 1.0


class EndsATurnTwice(Broken):
    fails = {ONE_END}


class LosesTheThirdSubmission(Broken):
    fails = {"test_several_submissions_are_all_named", TAKEN_BACK}
    unread_turns = 2
    patience = 1.0


class DiesOfAnInterrupt(Broken):
    fails = {INTERRUPT, TAKEN_BACK}


class KeepsAnInterruptForTheNextTurn(Broken):
    fails = {"test_an_interrupt_without_a_turn_does_nothing"}


class TellsEverySession(Broken):
    fails = {"test_two_sessions_do_not_mix_events"}


class RepeatsTheLastSession(Broken):
    fails = {"test_a_session_knows_nothing_of_the_one_before_it"}


class WaitsForItsReader(Broken):
    fails = {"test_a_session_that_nobody_reads_goes_on"}


class AnswersOtherThanItShows(Broken):
    fails = {"test_the_text_of_a_turn_is_its_last_text_block"}


class SaysNothingInPieces(Broken):
    fails = {"test_deltas_add_up_to_their_block"}


class DropsWhatJoins(Broken):
    fails = {"test_a_joined_submission_is_named_by_the_running_turn_or_its_own", TAKEN_BACK}
    patience = 1.0


class ForgetsItsHistory(Broken):
    fails = {"test_history_tells_of_a_finished_turn", "test_a_session_goes_on_under_its_id"}


class HasAHistoryOfEverySession(Broken):
    fails = {"test_history_of_an_unknown_session_is_none"}


class CannotDecide(Broken):
    fails = {"test_a_decision_that_nobody_waits_for_is_passed_over", DENIED, REPLIED, STRANGE}


class CannotReply(Broken):
    fails = {REPLIED, STRANGE}


class StumblesOverAStrangeReply(Broken):
    fails = {STRANGE}


class LeavesQuestionsOpen(Broken):
    fails = {DENIED, REPLIED}


class TakesBackWhatItHasBegunWith(Broken):
    fails = {TAKEN_BACK, BEGUN}


class KeepsItsModel(Broken):
    fails = {MODEL}


class EndsWithItsModel(Broken):
    fails = {MODEL}


class FailsToCompact(Broken):
    fails = {"test_compacting_leaves_the_session_usable"}


class JoinsAnotherSession(Broken):
    fails = {"test_a_person_is_told_a_program_that_joins_this_session"}


class ShowsASecret(Broken):
    fails = {"test_secrets_are_not_shown"}
    options = {"key": "key"}
    secrets = {"key": "a-secret-that-nobody-must-see"}


class TakesTextWhenClosed(Broken):
    fails = {"test_a_submission_after_closing_raises"}


class LeaksATask(Broken):
    fails = {"test_closing_leaves_no_task_behind"}


class LeavesItsProcess(Broken):
    fails = {"test_closing_leaves_no_process_behind"}


class NoticesNoDeath(Broken):
    fails = {"test_the_death_of_its_process_ends_the_turn_and_the_session"}
    patience = 1.0


class GoesOnUnderAnotherId(Broken):
    fails = {"test_a_session_goes_on_under_its_id"}


class GoesOnWithAnySession(Broken):
    fails = {"test_an_unknown_session_cannot_go_on"}


class HasNoSchema(Broken):
    """What is no schema cannot refuse anything either."""

    fails = {
        "test_the_options_schema_is_a_schema",
        "test_an_unknown_option_is_refused",
        "test_bad_options_are_refused_with_their_path",
    }
    long_options = None


class TakesAnyOption(Broken):
    fails = {"test_an_unknown_option_is_refused"}


class TakesAnyValue(Broken):
    fails = {"test_bad_options_are_refused_with_their_path"}


class DropsHalfOfAProfile(Broken):
    fails = {
        "test_every_item_of_a_profile_is_told_of_once",
        "test_what_no_provider_has_is_not_said_to_be_there",
    }


class PromisesEverything(Broken):
    fails = {"test_what_no_provider_has_is_not_said_to_be_there"}


class SaysNotWhy(Broken):
    fails = {"test_each_item_says_in_one_line_how_or_why_not"}


class IsHeavy(Broken):
    plugin = "broken_heavy"
    test_importing_the_plugin_is_cheap = ProviderSuite.test_importing_the_plugin_is_cheap
    fails = {"test_importing_the_plugin_is_cheap"}
