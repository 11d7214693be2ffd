"""The suites over broken routers, credential stores, sinks and session stores, with the checks that have to fail."""

from __future__ import annotations

from contextlib import asynccontextmanager
from typing import ClassVar

import broken_stores
import pytest

from relaykit.testing.credentials import CredentialStoreSuite
from relaykit.testing.memory_sessions import memory_sessions
from relaykit.testing.router import RouterSuite
from relaykit.testing.sessions import SessionStoreSuite
from relaykit.testing.sink import StatusSinkSuite


class Broken:
    fails = frozenset()
    plugin = "broken_stores"

    def __init_subclass__(cls) -> None:
        cls.component = cls.__name__
        super().__init_subclass__()

    @pytest.fixture
    def anyio_backend(self):
        return "asyncio"


class BrokenRouter(Broken, RouterSuite):
    known: ClassVar = {"team": ("reviewer", "second", "tester")}


class GoodRouter(BrokenRouter):
    pass


class WritesToItsSender(BrokenRouter):
    known: ClassVar = {"team": ("main", "reviewer", "second", "tester")}
    fails = frozenset({"test_a_group_leaves_its_sender_out"})


class ChangesItsMind(BrokenRouter):
    fails = frozenset({"test_it_says_the_same_when_asked_again"})


class KnowsStrangers(BrokenRouter):
    fails = frozenset({"test_a_strange_address_does_no_harm"})


class BrokenCredentials(Broken, CredentialStoreSuite):
    @pytest.fixture
    def stored(self):
        return broken_stores.STORED


class GoodCredentials(BrokenCredentials):
    pass


class ListsInAnyOrder(BrokenCredentials):
    fails = frozenset({"test_it_lists_the_names_sorted"})


class ShowsItsSecrets(BrokenCredentials):
    fails = frozenset({"test_no_secret_is_in_a_repr_or_an_error"})


class HasEverything(BrokenCredentials):
    fails = frozenset({"test_an_unknown_name_is_an_error_that_names_it"})


class GoodChanges(BrokenCredentials):
    # What importing it loads is the tests' own affair.
    test_importing_the_plugin_is_cheap = None


class ShowsValuesInItsListing(GoodChanges):
    fails = frozenset({"test_a_listing_names_everything_and_shows_no_value"})


class ForgetsTheNewSecret(GoodChanges):
    fails = frozenset({"test_a_new_secret_waits_beside_the_old_one_until_it_is_promoted"})


class LetsTwoRotate(GoodChanges):
    fails = frozenset({"test_only_one_rotates_a_credential_at_a_time"})


class ForgetsUses(GoodChanges):
    fails = frozenset({"test_a_use_is_marked_and_the_latest_one_can_be_told"})


class ChokesOnAUseOfNothing(GoodChanges):
    fails = frozenset({"test_a_use_is_marked_and_the_latest_one_can_be_told"})


class OverwritesEachOther(GoodChanges):
    fails = frozenset({"test_changes_at_once_do_not_overwrite_each_other"})


class KeepsWhatIsRemoved(GoodChanges):
    fails = frozenset({"test_what_is_removed_is_gone"})


class ForgetsAtTheEnd(GoodChanges):
    fails = frozenset({"test_it_is_all_there_when_the_store_is_opened_again"})


class LosesAllWithItsKey(GoodChanges):
    fails = frozenset({"test_a_new_machine_key_keeps_every_credential"})


class TakesAnything(GoodChanges):
    fails = frozenset({"test_an_empty_secret_is_refused", "test_what_cannot_be_kept_is_refused_without_being_shown"})


class ShowsWhatItCannotKeep(GoodChanges):
    fails = frozenset({"test_what_cannot_be_kept_is_refused_without_being_shown"})


class BrokenSink(Broken, StatusSinkSuite):
    plugin = "broken_sinks"
    options: ClassVar = {}


class GoodSink(BrokenSink):
    pass


class ChokesOnGaps(BrokenSink):
    fails = frozenset({"test_it_takes_every_kind_of_event_and_gaps"})


class ChokesOnStrangeText(BrokenSink):
    fails = frozenset({"test_it_takes_text_that_no_encoding_takes"})


class NeedsTheStore(BrokenSink):
    fails = frozenset({"test_it_takes_an_event_that_is_not_stored"})


class BrokenSessions(Broken, SessionStoreSuite):
    keeps = False

    @asynccontextmanager
    async def open(self, directory):
        with memory_sessions() as store:
            yield getattr(broken_stores, type(self).__name__)(store)


class SessionsThrough(BrokenSessions):
    pass


class ForgetsTheLastNumber(BrokenSessions):
    fails = frozenset(
        {
            "test_a_session_that_begins_again_has_the_number_of_its_last_event",
            "test_numbers_and_cursors_go_on_when_everything_was_swept",
        }
    )


class ListsTheOldestFirst(BrokenSessions):
    fails = frozenset({"test_sessions_come_latest_first_and_by_agent"})


class PagesAreTooLong(BrokenSessions):
    fails = frozenset({"test_events_after_a_cursor_come_in_pages_each_once"})


class MixesAgents(BrokenSessions):
    fails = frozenset({"test_events_are_chosen_by_agent_and_by_session"})


class ForgetsHalfABlock(BrokenSessions):
    fails = frozenset({"test_text_so_far_is_kept_until_the_end_of_its_block"})


class SweepsWithoutMeasure(BrokenSessions):
    fails = frozenset({"test_a_sweep_removes_no_more_than_it_was_allowed"})
