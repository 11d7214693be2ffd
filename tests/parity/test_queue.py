"""The queue: durable, in order, one at a time; what could not be handed over goes back to its place."""

from __future__ import annotations

import signal

import pytest

pytestmark = pytest.mark.parity("AR-5")


def test_what_waits_outlives_every_relay_and_is_handled_in_order_one_at_a_time(site, held):
    with site.run(worker=held) as relay:
        assert site.program("stop", "worker").code == 0
        assert relay.wait(20) == 0
    sent = [site.send("worker", f"{number}") for number in range(4)]
    urgent = site.send("worker", "urgent", "--priority", "next")
    with site.run(worker=held):
        for _ in range(5):
            site.open_gate()
        for message in [*sent, urgent]:
            assert site.ended(message)["worker"]["state"] == "answered"
    order = ["urgent", "0", "1", "2", "3"]
    assert site.log() == [f"{what} {text}" for text in order for what in ("begin", "end")]
    replies = [item["body"] for item in site.program("inbox", "--json").json["items"]]
    assert replies == [f"did {text}" for text in order]


def test_what_an_agent_could_not_take_is_queued_again_at_its_place_with_the_reason(site, echo):
    with site.run(worker={**echo, "options": {"scripted": True}}), site.program.following() as events:
        first = site.send("worker", "fail:agent")
        while events.until("status")["data"]["status"]["kind"] != "error":
            pass
        second = site.send("worker", "after it")
        delivery = site.delivery(first)
        assert [step["state"] for step in delivery["steps"]] == ["queued", "leased", "delivered", "seen", "queued"]
        assert "it was told to fail:agent" in delivery["steps"][-1]["note"]
        queue = site.program("inbox", "worker", "--json").json["items"]
        assert [(item["id"], item["state"]) for item in queue] == [(first, "queued"), (second, "queued")]
        assert site.program("cancel", first).code == 0
        assert site.program("restart", "worker").code == 0
        assert site.ended(second)["worker"]["state"] == "answered"


def test_of_two_relays_one_handles_a_message_to_any_and_the_other_never_gets_it(site, held):
    site.configure(one={**held, "tags": ["team"]}, two={**held, "tags": ["team"]})
    with site.program.relay("--agent", "one"), site.program.relay("--agent", "two"):
        sent = [site.send("any:tag:team", f"job {number}") for number in range(4)]
        for _ in sent:
            site.open_gate()
        ends = [site.ended(message) for message in sent]
    assert [[delivery["state"] for delivery in end.values()] for end in ends] == [["answered"]] * 4
    assert sorted(line for line in site.log() if line.startswith("begin")) == [f"begin job {n}" for n in range(4)]


def test_a_message_in_the_hands_of_a_relay_that_was_killed_is_never_begun_by_the_next(site, held):
    with site.run(worker=held) as relay, site.program.following() as events:
        sent = site.send("worker", "half done")
        queued = site.send("worker", "after it")
        events.until("turn_started")
        relay.send_signal(signal.SIGKILL)
        relay.wait(20)
    with site.run(worker=held):
        delivery = site.ended(sent)["worker"]
        assert delivery["state"] == "unknown"
        assert "the provider keeps no history" in delivery["reason"]
        site.open_gate()
        assert site.ended(queued)["worker"]["state"] == "answered"
    assert site.log().count("begin half done") <= 1
