"""later, next, now: one meaning on a provider that joins and on one that does not."""

from __future__ import annotations

import pytest

pytestmark = pytest.mark.parity("N-3")


def test_next_goes_before_every_later_and_now_interrupts_where_nothing_can_join(site, held):
    with site.run(worker=held), site.program.following() as events:
        running = site.send("worker", "running", "--thread", "t")
        events.until("turn_started")
        later = site.send("worker", "later", "--priority", "later")
        following = site.send("worker", "next", "--thread", "t", "--priority", "next")
        queue = site.program("inbox", "worker", "--json").json["items"]
        assert [item["id"] for item in queue if item["state"] == "queued"] == [following, later]
        urgent = site.send("worker", "now", "--priority", "now")
        assert site.ended(running)["worker"]["reason"] == "a message with priority now took its place"
        for _ in range(3):
            site.open_gate()
        for message in (urgent, following, later):
            assert site.ended(message)["worker"]["state"] == "answered"
    assert [line for line in site.log() if line.startswith("end")] == ["end now", "end next", "end later"]


def test_next_of_the_same_thread_joins_where_the_provider_can(site, echo):
    with site.run(worker={**echo, "options": {"delay": 1.0}}), site.program.following() as events:
        first = site.send("worker", "one", "--thread", "t")
        events.until("turn_started")
        second = site.send("worker", "two", "--thread", "t", "--priority", "next")
        assert site.ended(first)["worker"]["reason"] == site.ended(second)["worker"]["reason"]
        (reply,) = site.program("inbox", "--json").json["items"]
    assert sorted(reply["in_reply_to"]) == sorted([first, second])


def test_an_agents_own_priority_is_the_default_for_messages_that_say_none(site, held):
    with site.run(worker={**held, "priority": "next"}), site.program.following() as events:
        site.send("worker", "running")
        events.until("turn_started")
        site.send("worker", "later", "--priority", "later")
        site.send("worker", "plain")
        for _ in range(3):
            site.open_gate()
            events.until("turn_ended")
    assert [line for line in site.log() if line.startswith("end")] == ["end running", "end plain", "end later"]
