"""The same session, history and queue after a restart, a stop, and a crash of the real codex."""

from __future__ import annotations

import json
import os
import signal

import pytest

pytestmark = [pytest.mark.live, pytest.mark.parity("N-6")]


def last_request(house):
    return json.dumps([entry["body"]["input"] for entry in house.stub.requests() if "body" in entry][-1])


def session(house):
    (found,) = house.program("agents", "--json").json["agents"]
    return found["session"]


def test_a_restart_goes_on_with_the_same_session_history_and_queue(house):
    with house.run(), house.program.following() as events:
        before = session(house)
        house.program("send", "main", "say:remember the word", "--wait", "20")
        pid = house.program("agents", "--json").json["agents"][0]["pid"]
        running = house.send("main", "gate:over:running")
        events.until(
            "block_started",
        )
        events.until("block_started")
        queued = house.send("main", "say:and now")
        house.stub.open_gate("over")
        assert house.program("restart", "main").code == 0
        assert house.ended(queued)["state"] == house.ended(running)["state"] == "answered"
        (agent,) = house.program("agents", "--json").json["agents"]
        assert (agent["session"], agent["pid"] != pid) == (before, True)
    assert "remember the word" in last_request(house)


def test_a_new_relay_goes_on_where_the_last_one_was_stopped(house):
    with house.run() as relay:
        before = session(house)
        house.program("send", "main", "say:remember the word", "--wait", "20")
        assert house.program("stop", "main").code == 0
        assert relay.wait(20) == 0
    queued = house.send("main", "say:from the queue")
    with house.run():
        assert house.ended(queued)["state"] == "answered"
        assert session(house) == before
    assert "remember the word" in last_request(house)


def test_a_turn_that_a_stop_interrupts_is_gone_on_with_uncounted_by_the_next_relay(house):
    with house.run() as relay, house.program.following() as events:
        sent = house.send("main", "gate:never-opened:half of it and the other half")
        events.until("block_started")
        relay.send_signal(signal.SIGTERM)
        assert relay.wait(30) == 0
    with house.run():
        delivery = house.ended(sent)
    assert delivery["state"] == "answered"
    notes = " ".join(step["note"] for step in delivery["steps"])
    assert "its turn was cut off" in notes
    scripts = [entry["step"] for entry in house.stub.requests() if "body" in entry]
    assert [script.startswith("gate:") for script in scripts] == [True, False], "never begun anew"


@pytest.mark.parity("AR-10", "N-2")
def test_a_codex_that_is_killed_in_a_turn_is_started_again_and_goes_on_with_it(house):
    with house.run(), house.program.following() as events:
        before = session(house)
        pid = house.program("agents", "--json").json["agents"][0]["pid"]
        sent = house.send("main", "gate:never-opened:half of it and the other half")
        events.until("block_started")
        os.kill(pid, signal.SIGKILL)
        delivery = house.ended(sent)
        assert delivery["state"] == "answered"
        (agent,) = house.program("agents", "--json").json["agents"]
        assert (agent["session"], agent["pid"] != pid) == (before, True)
    scripts = [entry["step"] for entry in house.stub.requests() if "body" in entry]
    assert [script.startswith("gate:") for script in scripts] == [True, False], "never begun anew"
