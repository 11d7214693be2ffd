"""A person joins the real codex in its own terminal program: beside the relay, or in its place."""

from __future__ import annotations

import json
import os
import signal
import sys
from contextlib import contextmanager
from pathlib import Path

import pytest

from relaykit.testing.terminal import terminal

pytestmark = [pytest.mark.live, pytest.mark.parity("AR-16")]
SOCKET = {"main": {"options": {"connect": "socket"}}}


@pytest.fixture(autouse=True)
def no_greeting(house):
    """The program asks a new user about a newer model before it shows anything else."""
    with (house.codex_home / "config.toml").open("a", encoding="utf-8") as config:
        config.write("\n[notice.model_migrations]\n")
        config.write('"gpt-5.5" = "gpt-6-sol"\n')


@contextmanager
def attached(house, agent="main"):
    env = {**house.program.environment({}), "TERM": "xterm-256color"}
    with terminal([sys.executable, "-m", "relaykit", "attach", agent], env=env, cwd=house.program.cwd) as shown:
        yield shown


def dismiss(shown):
    """Answer what the program asks of those who are new to it, until it shows the conversation."""
    shown.until(lambda text: "Ask Codex" in text or "Use existing model" in text)
    if "Use existing model" in shown.text:
        shown.type("\x1b")
        shown.until(lambda text: "Use existing model" not in text)


def say(shown, text):
    shown.type(text)
    shown.shows(text)
    shown.type("\r")


def leave(shown):
    say(shown, "/quit")
    return shown.ended()


def agent(house):
    (found,) = house.program("agents", "--json").json["agents"]
    return found


def test_the_terminal_joins_beside_the_relay_where_codex_listens_on_a_socket(house):
    with house.run(**SOCKET):
        house.program("send", "main", "say:the word is rhubarb", "--wait", "20")
        with attached(house) as shown:
            dismiss(shown)
            shown.shows("the word is rhubarb")
            assert house.program("send", "main", "say:by the relay", "--wait", "20").out == "by the relay\n"
            shown.shows("by the relay")
            say(shown, "say:typed by a person")
            shown.until(lambda text: text.count("typed by a person") == 2)
            leave(shown)
        assert house.program("send", "main", "say:and on", "--wait", "20").out == "and on\n"
        texts = [one["data"]["block"]["text"] for one in events(house) if one["kind"] == "block_ended"]
    assert "typed by a person" in texts, "what the person does is on record"


def events(house):
    return house.program("events", "main", "--json").lines


def test_over_pipes_the_session_is_handed_over_and_taken_back_with_the_same_history(house):
    with house.run():
        house.program("send", "main", "say:the word is rhubarb", "--wait", "20")
        before = agent(house)
        with attached(house) as shown:
            dismiss(shown)
            shown.shows("the word is rhubarb")
            status = house.program.status("main", reason="attached")
            assert (status["kind"], f"process {shown.pid}" in status["detail"]) == ("busy", True)
            queued = house.send("main", "say:after the person")
            assert house.program("attach", "main").code == 2, "without a terminal"
            say(shown, "say:typed by a person")
            shown.until(lambda text: text.count("typed by a person") == 2)
            assert house.delivery(queued)["state"] == "queued"
            with attached(house) as second:
                assert second.ended() == 1
                assert f"process {shown.pid} has it in a terminal already" in second.text
            assert house.program("restart", "main").code == 0
            house.program.status("main", reason="attached")
            assert house.program("status", "main", "--json").json["agents"][0]["pid"] == shown.pid
            leave(shown)
        assert house.ended(queued)["state"] == "answered"
        assert (agent(house)["session"], agent(house)["pid"] != before["pid"]) == (before["session"], True)
    asked = json.dumps([entry["body"]["input"] for entry in house.stub.requests() if "body" in entry][-1])
    assert asked.index("the word is rhubarb") < asked.index("typed by a person") < asked.index("after the person")


@pytest.mark.parametrize("closes", [False, True])
def test_a_terminal_that_is_killed_or_closed_gives_the_session_back(house, closes):
    with house.run():
        house.program("send", "main", "say:hello", "--wait", "20")
        with attached(house) as shown:
            dismiss(shown)
            shown.shows("hello")
            if closes:
                shown.hang_up()
            else:
                shown.kill(signal.SIGKILL)
                assert shown.ended() == -signal.SIGKILL
        assert house.program("send", "main", "say:and on", "--wait", "20").out == "and on\n"


def test_a_running_turn_may_end_before_the_session_is_handed_over(house):
    with house.run(), house.program.following() as following:
        house.program("send", "main", "say:hello", "--wait", "20")
        sent = house.send("main", "gate:over:first and second half")
        following.until("turn_started")
        following.until("turn_started")
        with attached(house) as shown:
            house.program.status("main", reason="stopping")
            house.stub.open_gate("over")
            dismiss(shown)
            shown.shows("first and second half")
            assert house.delivery(sent)["state"] == "answered"
            leave(shown)
        assert house.program("send", "main", "say:and on", "--wait", "20").out == "and on\n"


def test_who_gives_up_waiting_is_not_handed_anything(house):
    with house.run(), house.program.following() as following:
        sent = house.send("main", "gate:over:first and second half")
        following.until("turn_started")
        with attached(house) as shown:
            house.program.status("main", reason="stopping")
            shown.type("\x03")
            assert shown.ended() == 130
        house.stub.open_gate("over")
        assert house.ended(sent)["state"] == "answered"
        assert house.program("send", "main", "say:and on", "--wait", "20").out == "and on\n"


def test_a_relay_that_is_killed_meanwhile_leaves_the_person_alone_and_the_next_one_waits(house):
    with house.run() as relay:
        house.program("send", "main", "say:hello", "--wait", "20")
        with attached(house) as shown:
            dismiss(shown)
            shown.shows("hello")
            relay.kill()
            relay.wait(20)
            queued = house.send("main", "say:after the person")
            with house.program.start("run") as again:
                house.program.status("main", reason="attached")
                say(shown, "say:typed by a person")
                shown.until(lambda text: text.count("typed by a person") == 2)
                assert house.delivery(queued)["state"] == "queued"
                leave(shown)
                assert house.ended(queued)["state"] == "answered"
                again.send_signal(signal.SIGTERM)
                again.wait(20)


def test_an_agent_without_a_terminal_program_says_so(house):
    with house.run(main={"provider": "echo"}), attached(house) as shown:
        assert shown.ended() == 1
        assert "no terminal program" in shown.text
    with attached(house) as shown:
        assert shown.ended() == 1
        assert "nobody runs main" in shown.text


def test_the_program_is_a_process_of_its_own_name(house):
    with house.run(**SOCKET):
        house.program("send", "main", "say:hello", "--wait", "20")
        with attached(house) as shown:
            dismiss(shown)
            command = Path(f"/proc/{shown.pid}/cmdline").read_bytes().split(b"\0")
            assert (Path(os.fsdecode(command[0])).name, command[1:3]) == ("codex", [b"resume", b"--remote"])
            leave(shown)


def test_in_its_place_the_program_may_do_no_more_than_the_agent(house):
    with (house.codex_home / "config.toml").open("a", encoding="utf-8") as config:
        config.write("\n[sandbox_workspace_write]\nnetwork_access = true\n")
    with house.run(main={"options": {"config.web_search": "disabled"}}):
        house.program("send", "main", "say:hello", "--wait", "20")
        with attached(house) as shown:
            dismiss(shown)
            say(shown, "say:typed by a person")
            shown.until(lambda text: text.count("typed by a person") == 2)
            leave(shown)
    typed = [entry["body"] for entry in house.stub.requests() if entry.get("step") == "say:typed by a person"]
    assert "Network access is enabled" not in json.dumps([body["input"] for body in typed])
    assert "web_search" not in [tool["type"] for body in typed for tool in body["tools"]]
