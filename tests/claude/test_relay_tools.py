"""The relay's tools in the hands of the real claude, through the whole relay."""

from __future__ import annotations

import json
import os
import signal
from contextlib import contextmanager

import pytest

pytestmark = pytest.mark.live


@pytest.mark.parity("AR-12", "AR-19", "N-5")
def test_an_agent_sends_by_the_relays_own_tool_and_its_hooks_are_events(house):
    call = json.dumps({"to": "user", "body": "a word in between"})
    with house.run():
        script = f"tool:mcp__relaykit__send|{call};;say:done"
        assert house.program("send", "main", script, "--wait", "20").out == "done\n"
        assert "a word in between" in house.program("inbox").out
        assert house.program("permissions", "--all", "--json").json == {"permissions": []}
        offered = {tool["name"] for tool in house.stub.requests()[0]["body"]["tools"]}
        assert {"mcp__relaykit__send", "mcp__relaykit__reply"} <= offered, "a model must not have to search for them"
        house.program("compact", "main")
    with house.run():
        house.program("send", "main", "say:once more", "--wait", "20")
    events = [json.loads(line) for line in house.program("events", "main", "--json").out.splitlines()]
    notes = [event["data"] for event in events if event["kind"] == "note"]
    starts = [note["data"]["source"] for note in notes if note["name"] == "hook.SessionStart"]
    assert (starts[0], starts[-1]) == ("startup", "resume")
    assert "hook.PreCompact" in [note["name"] for note in notes]


def interrupted(house, sent):
    house.program("interrupt", "main")
    assert house.ended(sent)["state"] == "interrupted"


def killed(house, _sent):
    os.kill(pid_of(house), signal.SIGKILL)


def pid_of(house, agent="main"):
    (pid,) = [one["pid"] for one in house.program("agents", "--json").json["agents"] if one["id"] == agent]
    return pid


@contextmanager
def waiting(house):
    """A relay in which main waits inside a tool for what helper answers; the message to main, and its question."""
    call = json.dumps({"to": "helper", "body": "gate:late:as you asked", "wait": 40})
    with house.run(main={}, helper={}):
        sent = house.send("main", f"tool:mcp__relaykit__send|{call};;say:done")
        (question,) = house.program.until(lambda: house.program("inbox", "helper", "--all", "--json").json["items"])
        house.program.until(lambda: house.delivery(question["id"])["state"] == "seen")
        yield sent, question["id"]


def answer_to_main(house, sent):
    """Return what ends the delivery of the answer to main."""
    items = house.program.until(lambda: house.program("inbox", "main", "--all", "--json").json["items"][1:])
    (answer,) = [one["id"] for one in items if one["id"] != sent]
    return house.ended(answer)["state"]


@pytest.mark.parity("N-2", "N-5")
@pytest.mark.parametrize("cut_off", [interrupted, killed])
def test_an_answer_for_which_a_tool_waited_when_it_was_cut_off_comes_as_a_message(house, cut_off):
    with waiting(house) as (sent, question):
        cut_off(house, sent)
        house.stub.open_gate("late")
        assert house.ended(question)["state"] == "answered"
        assert answer_to_main(house, sent) == "answered"
    assert "as you asked" in json.dumps(house.stub.requests()[-1]["body"])


@pytest.mark.parity("N-2", "N-5")
def test_so_does_one_that_a_claude_had_in_its_pipe_and_died_before_it_read_it(house):
    with waiting(house) as (sent, question):
        os.kill(pid_of(house), signal.SIGSTOP)
        house.stub.open_gate("late")
        assert house.ended(question)["state"] == "answered"
        house.program("send", "helper", "say:the relay goes on", "--wait", "20")
        assert house.delivery(sent)["state"] == "seen"
        os.kill(pid_of(house), signal.SIGKILL)
        assert answer_to_main(house, sent) == "answered"
