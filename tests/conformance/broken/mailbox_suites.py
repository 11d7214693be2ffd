"""The suite over broken mailboxes, with the checks that have to fail."""

from __future__ import annotations

from contextlib import asynccontextmanager

import broken_mailboxes
import pytest

from relaykit.builtin.routing import AddressRouter
from relaykit.testing.mailbox import MailboxSuite
from relaykit.testing.memory import open_memory_mailbox


class BrokenMailbox(MailboxSuite):
    fails = frozenset()

    @pytest.fixture
    def anyio_backend(self):
        return "asyncio"

    @asynccontextmanager
    async def open(self, directory, clock, limits):
        async with open_memory_mailbox(clock, routers=[AddressRouter()], limits=limits) as mailbox:
            yield getattr(broken_mailboxes, type(self).__name__)(mailbox)


class MailboxThrough(BrokenMailbox):
    pass


class SaysThatEveryPutIsTheFirst(BrokenMailbox):
    fails = frozenset(
        {
            "test_the_same_draft_again_is_the_first_put",
            "test_the_same_draft_again_is_the_first_put_where_no_other_would_be_taken",
            "test_the_same_draft_is_still_the_first_put_and_the_new_text_is_another",
            "test_an_id_is_unique_within_its_account",
            "test_the_id_of_a_removed_message_is_remembered_for_a_time",
        }
    )


class HidesALostLease(BrokenMailbox):
    fails = frozenset(
        {
            "test_a_report_of_an_epoch_that_is_over_is_refused",
            "test_a_write_with_a_lease_that_is_lost_changes_nothing",
            "test_a_write_after_the_end_changes_nothing",
            "test_an_earlier_attempts_lease_is_lost",
            "test_a_new_attempt_has_a_new_submission_and_the_old_lease_is_lost",
        }
    )


class ReportsNothingAtTheEnd(BrokenMailbox):
    fails = frozenset({"test_how_the_agent_is_after_a_turn_is_entered_with_its_end_or_not_at_all"})


class TakesTheLastDecision(BrokenMailbox):
    fails = frozenset(
        {
            "test_the_first_decision_wins",
            "test_no_answer_in_time_is_a_denial_of_which_the_session_is_told",
            "test_what_the_provider_no_longer_asks_is_withdrawn",
        }
    )


class SendsWhatIsUnderWay(BrokenMailbox):
    fails = frozenset({"test_they_are_leased_in_order_and_acknowledged"})


class BelievesTheBeatOfTheDead(BrokenMailbox):
    fails = frozenset({"test_relays_that_are_known_to_be_dead_are_so_whatever_their_beat"})


class ShowsTheNewestFirst(BrokenMailbox):
    fails = frozenset(
        {
            "test_a_lower_priority_stands_behind_every_higher_one",
            "test_an_inbox_shows_what_waits_in_the_order_of_the_queue",
            "test_before_another_stands_right_before_it_forwards_and_backwards",
            "test_first_of_one_that_is_first_changes_nothing",
            "test_first_stands_before_all_that_wait_and_the_others_keep_their_order",
            "test_it_keeps_its_new_place_when_it_is_released",
            "test_it_takes_the_priority_of_what_it_stands_before",
            "test_what_comes_later_stands_behind_what_was_moved",
        }
    )


class WantsWholeIds(BrokenMailbox):
    fails = frozenset({"test_an_id_may_be_cut_short_where_that_is_plain"})


class ForgetsWishes(BrokenMailbox):
    fails = frozenset(
        {
            "test_a_death_that_was_none_is_taken_back",
            "test_a_turn_that_a_stop_ended_counts_no_death",
            "test_a_wish_is_recorded",
            "test_a_write_with_a_lease_that_is_lost_changes_nothing",
            "test_a_write_after_the_end_changes_nothing",
        }
    )


class CallsWhoHoldsADeliveryIdle(BrokenMailbox):
    fails = frozenset({"test_who_said_to_be_idle_is_busy_with_what_it_holds"})


class AnswersLikeAnyMessage(BrokenMailbox):
    fails = frozenset(
        {
            "test_an_answer_in_the_turn_is_the_one_reply",
            "test_a_second_answer_is_one_more_message_of_the_thread",
            "test_a_takeover_keeps_an_answer_that_was_given",
            "test_an_answer_to_an_answer_goes_to_whoever_asked_first",
            "test_only_who_got_a_message_answers_it",
            "test_a_notice_is_not_answered",
        }
    )


class LetsEveryoneClaim(BrokenMailbox):
    fails = frozenset({"test_a_claimed_task_of_any_is_offered_to_nobody_else"})


class ShowsWholeThreads(BrokenMailbox):
    fails = frozenset({"test_a_thread_has_what_its_reader_sent_or_got_and_nothing_else"})


class NamesNobody(BrokenMailbox):
    fails = frozenset({"test_a_watch_that_says_whom_it_concerns_leaves_nobody_out"})


class RingsForNothing(BrokenMailbox):
    fails = frozenset({"test_a_watch_wakes_whoever_waits_and_then_is_quiet"})


class TakesAnEditWhenItIsTooLate(BrokenMailbox):
    fails = frozenset(
        {
            "test_a_lease_that_comes_between_is_not_hurt",
            "test_a_reply_is_what_its_agent_said",
            "test_one_recipient_of_several_may_be_chosen_and_else_all_have_to_wait",
            "test_the_limits_hold_for_the_new_text",
            "test_what_is_handed_over_is_not_edited_any_more",
        }
    )


class PutsAnEditedMessageInItsPlace(BrokenMailbox):
    fails = frozenset(
        {
            "test_a_lease_that_comes_between_is_not_hurt",
            "test_a_reply_is_what_its_agent_said",
            "test_one_recipient_of_several_may_be_chosen_and_else_all_have_to_wait",
            "test_the_limits_hold_for_the_new_text",
            "test_the_new_text_is_what_is_handed_over_and_shown",
            "test_the_trace_keeps_a_step_that_says_so",
            "test_what_is_handed_over_is_not_edited_any_more",
            "test_what_was_released_keeps_its_new_text",
        }
    )


class MovesNothing(BrokenMailbox):
    fails = frozenset(
        {
            "test_a_lower_priority_stands_behind_every_higher_one",
            "test_before_another_stands_right_before_it_forwards_and_backwards",
            "test_first_stands_before_a_higher_priority_and_may_join_as_it_does",
            "test_first_stands_before_all_that_wait_and_the_others_keep_their_order",
            "test_it_keeps_its_new_place_when_it_is_released",
            "test_it_takes_the_priority_of_what_it_stands_before",
            "test_what_comes_later_stands_behind_what_was_moved",
            "test_what_goes_to_any_of_a_group_is_moved_in_its_members_queues",
            "test_what_is_handed_over_or_elsewhere_is_not_moved",
            "test_what_may_join_does_so_in_the_new_order",
        }
    )
