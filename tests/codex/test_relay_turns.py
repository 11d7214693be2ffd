"""Turns of the real codex through the whole relay, by its command line."""

from __future__ import annotations

import json
import shlex
import sys

import pytest

pytestmark = pytest.mark.live

SEND = f"{shlex.quote(sys.executable)} -m relaykit send"


@pytest.mark.parity("N-1", "AR-18", "SR-2")
def test_a_message_is_answered_and_its_trace_shows_every_step(house):
    with house.run():
        sent = house.program("send", "main", "say:hello there", "--wait", "20", "--json").json
        assert (sent["reply"], sent["state"]) == ("hello there", "answered")
        delivery = house.delivery(sent["id"])
        (session,) = house.program("sessions", "main", "--json").json["sessions"]
        events = house.program("events", "main", "--json").lines
    assert [step["state"] for step in delivery["steps"]] == ["queued", "leased", "delivered", "seen", "answered"]
    times = [step["at"] for step in delivery["steps"]]
    assert times == sorted(times)
    turn = delivery["steps"][3]["note"].removeprefix("turn ")
    assert delivery["reason"] == f"the provider completed turn {turn}"
    assert {event["session"] for event in events} == {session["id"]}
    blocks = [event["data"]["block"] for event in events if event["kind"] == "block_ended"]
    assert [(block["kind"], block["text"], block["turn"]) for block in blocks] == [
        ("user_message", "say:hello there", turn),
        ("assistant_text", "hello there", turn),
    ]


@pytest.mark.parity("AR-7")
def test_two_agents_have_their_turns_at_once(house):
    with house.run(one={}, two={}):
        sent = {name: house.send(name, f"gate:{name}:the words of {name}") for name in ("one", "two")}
        with house.program.following() as events:
            assert {events.until("block_started")["agent"] for _ in sent} == {"one", "two"}
        for name, message in sent.items():
            status = house.program.status(name, kind="busy")
            assert (status["kind"], status["reason"]) == ("busy", "turn")
            turn, work = status["work"]
            assert turn["kind"] == "turn"
            assert (work["kind"], work["id"]) == ("message", message)
        for name, message in sent.items():
            house.stub.open_gate(name)
            assert house.ended(message)["state"] == "answered"
        assert sorted(item["body"] for item in house.program("inbox", "--json").json["items"]) == [
            "the words of one",
            "the words of two",
        ]


def test_codex_asks_another_codex_inside_its_sandbox_and_waits_for_the_answer(house):
    asker = {"options": {"writable": [str(house.program.home)]}}
    house.program.home.mkdir(mode=0o700)
    with house.run(asker=asker, other={}):
        asked = f"exec:{SEND} other 'say:forty-two' --wait 20;;say:the other one knows"
        sent = house.program("send", "asker", asked, "--wait", "30", "--json").json
        assert sent["reply"] == "the other one knows"
        assert "forty-two" in house.outputs()[-1]
        (item,) = house.program("inbox", "other", "--all", "--json").json["items"]
        assert (item["from"], item["state"], item["root"]) == ("asker", "answered", sent["id"])
        items = house.program("inbox", "asker", "--all", "--json").json["items"]
        assert {item["from"]: item["state"] for item in items} == {"user": "answered", "other": "acknowledged"}
        assert len(turns(house, "asker")) == 1, "the answer came inside the turn, not as another"


def test_an_answer_that_nobody_waits_for_is_a_turn_whose_text_reaches_who_asked_first(house):
    asker = {"options": {"writable": [str(house.program.home)]}}
    house.program.home.mkdir(mode=0o700)
    with house.run(asker=asker, other={}):
        house.send("asker", f"exec:{SEND} other 'say:say:what other knows';;say:asked")
        first = house.program("inbox", "--wait", "20", "--json").json["items"]
        second = house.program("inbox", "--wait", "20", "--json").json["items"]
    assert [(item["kind"], item["body"]) for item in first + second] == [
        ("reply", "asked"),
        ("follow_up", "what other knows"),
    ]


def test_without_the_home_to_write_to_an_agent_sends_only_where_that_is_approved(house):
    with house.run(main={"approval": "auto"}, other={}):
        house.program("send", "main", f"exec:{SEND} other say:x; echo code $?;;say:done", "--wait", "20")
        assert "code 1" in house.outputs()[-1]
        assert house.program("inbox", "other", "--all", "--json").json["items"] == []
        house.program("send", "main", f"esc:{SEND} other say:approved --wait 20;;say:done", "--wait", "20")
        assert "approved" in house.outputs()[-1]


@pytest.mark.parity("AR-8")
def test_compaction_inside_a_conversation_leaves_it_usable(house):
    with house.run():
        house.program("send", "main", "say:remember this", "--wait", "20")
        assert house.program("compact", "main").out == "main: compact succeeded: the context was compacted\n"
        assert house.program("send", "main", "say:still here", "--wait", "20").out == "still here\n"
        blocks = [event["data"]["block"] for event in house.program("events", "main", "--json").lines if ended(event)]
        assert [block["name"] for block in blocks if block["kind"] == "system"] == ["compaction"]


@pytest.mark.parity("AR-8")
def test_what_is_injected_is_a_turn_that_answers_nobody(house):
    with house.run(), house.program.following() as events:
        assert house.program("inject", "main", "say:noted").code == 0
        events.until("turn_ended", text="noted")
        assert house.program("inbox").out == "nothing waits for user\n"
        house.program("send", "main", "say:next", "--wait", "20")
    assert "say:noted" in json.dumps(house.stub.requests()[-1]["body"]["input"])


def turns(house, agent):
    return [event for event in house.program("events", agent, "--json").lines if event["kind"] == "turn_ended"]


def ended(event):
    return event["kind"] == "block_ended"
