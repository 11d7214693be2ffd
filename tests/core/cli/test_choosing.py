"""Which permission request a key of the live view decides: never another than the one that was seen."""

from __future__ import annotations

import pytest
from rich.console import ConsoleDimensions

from relaykit.cli import live
from relaykit.cli.choosing import MOMENT, Choosing
from relaykit.cli.keys import Keys


@pytest.fixture
def choosing():
    choosing = Choosing()
    choosing.look(["one", "two", "three"], 0.0)
    return choosing


def test_one_that_comes_while_none_is_open_is_chosen_and_decided_after_a_moment(choosing):
    assert (choosing.chosen, choosing.ready(MOMENT / 2), choosing.ready(MOMENT)) == ("one", False, True)


def test_others_that_come_or_go_leave_the_choice_where_it_is(choosing):
    choosing.move(1)
    choosing.look(["zero", "two", "four"], 5.0)
    assert (choosing.chosen, choosing.ready(0.0)) == ("two", True), "a person chose it"


def test_no_other_takes_the_place_of_one_that_is_gone_until_a_person_chooses(choosing):
    choosing.look(["two", "three"], 5.0)
    assert choosing.chosen is None
    choosing.look(["two", "three", "four"], 9.0)
    assert choosing.chosen is None
    choosing.move(1)
    assert choosing.chosen == "two"


def test_one_in_place_of_the_only_one_is_not_decided_by_a_key_that_was_on_its_way(choosing):
    choosing.look([], 5.0)
    choosing.look(["new"], 6.0)
    assert (choosing.chosen, choosing.ready(6.0 + MOMENT / 2), choosing.ready(6.0 + MOMENT)) == ("new", False, True)


def test_after_a_decision_nothing_is_chosen(choosing):
    choosing.leave("two")
    assert choosing.chosen == "one"
    choosing.leave("one")
    assert choosing.chosen is None


def test_the_choice_stops_at_both_ends_and_another_one_is_shown_from_its_beginning(choosing):
    choosing.first, choosing.seen = 7, True
    choosing.move(-1)
    assert (choosing.chosen, choosing.first, choosing.seen) == ("one", 7, True)
    for _ in range(5):
        choosing.move(1)
    assert (choosing.chosen, choosing.first, choosing.seen) == ("three", 0, False)


def test_every_key_of_what_was_read_at_once_is_told_apart():
    keys = Keys()
    assert keys.read("dd\x1b[A\x1bOBj\x1b[6~ ") == ["d", "d", "\x1b[A", "\x1bOB", "j", "\x1b[6~", " "]
    assert keys.read("a\x1b[") == ["a"]
    assert keys.read("Bs") == ["\x1b[B", "s"], "no part of an arrow is a key of its own"


def test_a_key_decides_nothing_in_a_window_that_has_another_size_than_what_was_drawn(monkeypatch):
    view = live.LiveView()
    view._choosing.choose("one")
    view._shown, view._size = "one", ConsoleDimensions(80, 24)
    for size, shown in ((ConsoleDimensions(80, 24), True), (ConsoleDimensions(40, 24), False)):
        monkeypatch.setattr(live, "_size", lambda size=size: size)
        assert view._is_shown() is shown
