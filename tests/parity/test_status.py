"""What ``status`` says of an agent, held against what really runs."""

from __future__ import annotations

import time

import pytest


@pytest.mark.parity("AR-7")
def test_status_names_the_turn_the_message_and_what_waits(site, held):
    with site.run(worker=held), site.program.following() as events:
        assert site.program.status("worker", kind="idle")
        first = site.send("worker", "first")
        site.send("worker", "second")
        events.until("turn_started")
        status = site.program.status("worker", kind="busy")
        (agent,) = site.program("status", "--json").json["agents"]
        assert (status["reason"], agent["queued"]) == ("turn", 1)
        assert [(item["kind"], item["id"]) for item in status["work"]][1:] == [("message", first)]
        assert status["work"][0]["kind"] == "turn"
        assert "worker: busy (turn)" in site.program("status").out
        for _ in range(2):
            site.open_gate()
        while events.until("status")["data"]["status"]["kind"] != "idle":
            pass
    assert site.program.status("worker")["kind"] == "offline"


@pytest.mark.parity("AR-7")
def test_an_agent_that_rests_says_why_and_when_it_tries_again(site, echo):
    with site.run(worker={**echo, "options": {"scripted": True}}), site.program.following() as events:
        site.send("worker", "fail:agent")
        while events.until("status")["data"]["status"]["kind"] != "error":
            pass
        status = site.program.status("worker", kind="error")
        assert (status["kind"], status["reason"], status["detail"]) == ("error", "paused", "it was told to fail:agent")
        assert 0 < status["next_try"] - time.time() <= 10
        assert "next try at" in site.program("status").out


@pytest.mark.parity("N-11")
def test_a_relay_that_was_killed_in_a_turn_leaves_nothing_busy(site, held):
    with site.run(worker=held) as relay, site.program.following() as events:
        site.send("worker", "never ends")
        events.until("turn_started")
        assert site.program.status("worker", kind="busy")
        relay.kill()
        relay.wait(20)
        document = site.program("status", "--json").json
    (agent,) = document["agents"]
    assert (agent["status"]["kind"], agent["status"]["reason"], agent["pid"]) == ("offline", "gone", None)
    assert agent["status"]["work"] == []


@pytest.mark.parity("N-11", "AR-7")
def test_a_turn_that_goes_silent_is_found_and_reported_and_left_alone(site, held):
    with site.run(worker={**held, "silence": 0.3}), site.program.following() as events:
        sent = site.send("worker", "slow")
        while events.until("status")["data"]["status"].get("reason") != "silent":
            pass
        assert site.program.status("worker", reason="silent")
        site.open_gate()
        assert site.ended(sent)["worker"]["state"] == "answered"
