"""What goes wrong with the real codex, as whoever runs the relay is told of it."""

from __future__ import annotations

import json
import time

import pytest

from relaykit.testing.program import Program

pytestmark = pytest.mark.live


def paused(house, events):
    """Return the status of the agent, once it rests."""
    while (status := events.until("status")["data"]["status"])["kind"] != "error":
        pass
    return status


@pytest.mark.parametrize(
    ("script", "said"),
    [
        ("http:401:1", "sign in with `codex login`"),
        ("http:429:1", "429"),
        ("http:500:1", "high demand"),
    ],
)
def test_a_fault_of_the_agent_pauses_it_with_its_queue_held_and_the_message_is_answered_after_it(house, script, said):
    with house.run(), house.program.following() as events:
        sent = house.send("main", script)
        status = paused(house, events)
        queued = house.send("main", "say:the next one")
        assert said in status["detail"]
        shown = house.program.status("main", kind="error")
        assert (shown["kind"], shown["reason"], shown["detail"]) == ("error", "paused", status["detail"])
        assert shown["next_try"] > time.time() - 1
        assert "next try at" in house.program("status").out
        delivery = house.delivery(sent)
        assert delivery["state"] == "queued"
        assert status["detail"] in delivery["steps"][-1]["note"]
        assert house.delivery(queued)["state"] == "queued"
        assert house.program("restart", "main").code == 0
        assert house.ended(queued)["state"] == "answered"
        assert house.delivery(sent)["state"] == "answered"
        texts = [item["body"] for item in house.program("inbox", "--json").json["items"]]
    assert texts == ["recovered", "the next one"]


@pytest.mark.parametrize("restarted", [False, True])
def test_a_stream_that_is_cut_after_work_was_done_is_gone_on_with_and_never_begun_anew(house, restarted):
    with house.run(), house.program.following() as events:
        sent = house.send("main", "exec:echo x >> log;;drop:1")
        assert "stream disconnected" in paused(house, events)["detail"]
        assert house.delivery(sent)["state"] == "seen"
        if restarted:
            assert house.program("restart", "main").code == 0
        delivery = house.ended(sent)
        assert (delivery["state"], [step["state"] for step in delivery["steps"]].count("leased")) == ("answered", 2)
    scripts = [entry["step"] for entry in house.stub.requests() if "body" in entry]
    assert f"You were interrupted while working on message {sent}" in scripts[-1]
    assert (house.workspace / "log").read_text() == "x\n"


def test_a_message_that_the_model_refuses_is_dead_and_a_second_in_a_row_pauses_the_agent(house):
    with house.run(), house.program.following() as events:
        ended = house.program("send", "main", "http:400", "--wait", "20", "--json")
        assert (ended.code, ended.json["state"], ended.json["reason"]) == (4, "dead", "Bad request (stub).")
        assert ended.json["deliveries"][0]["notice"]
        assert house.program("send", "main", "say:fine", "--wait", "20").out == "fine\n"
        assert house.program("send", "main", "http:400", "--wait", "20").code == 4
        second = house.send("main", "http:400 ")
        assert "Bad request" in paused(house, events)["detail"]
        assert house.delivery(second)["state"] == "queued"


def test_an_error_of_the_turn_ends_it_as_failed_without_another_try(house):
    with house.run():
        ended = house.program("send", "main", "failed:context_length_exceeded", "--wait", "20", "--json")
        assert (ended.code, ended.json["state"]) == (4, "failed")
        assert [step["state"] for step in house.delivery(ended.json["id"])["steps"]].count("leased") == 1
        assert house.program("send", "main", "say:next", "--wait", "20").out == "next\n"


@pytest.fixture
def program(tmp_path):
    (tmp_path / "cwd").mkdir()
    return Program(home=tmp_path / "relay", cwd=tmp_path / "cwd", env={"XDG_CONFIG_HOME": str(tmp_path / "config")})


@pytest.mark.parametrize(
    ("behaviour", "said"),
    [
        ({"version": "0.100.0"}, "codex 0.100.0 is too old; install 0.163.0 or newer, or set the option command"),
        ({"account": {"account": None, "requiresOpenaiAuth": True}}, "codex login`, or configure a credential"),
        ({"die": True}, "codex ended with exit code 7: no room for a database"),
    ],
)
def test_a_codex_that_cannot_be_used_ends_the_run_with_one_clear_line(program, fake, behaviour, said):
    words = [word for name, value in fake.options.items() for word in ("--option", f"{name}={json.dumps(value)}")]
    ended = program("run", "--provider", "codex", *words, env=fake.told(**behaviour))
    assert (ended.code, ended.out) == (1, "")
    assert said in ended.err
    assert len(ended.err.splitlines()) == 1


def test_a_missing_codex_ends_the_run_with_one_clear_line(program):
    ended = program("run", "--provider", "codex", "--option", "command=/no/such/codex")
    assert (ended.code, ended.out) == (1, "")
    said = "relaykit: codex: '/no/such/codex' is no program that can be started; set the option command to codex\n"
    assert ended.err == said


def test_the_doctor_names_the_codex_that_an_agent_uses_and_its_version(house):
    with house.run():
        document = house.program("doctor", "--json").json
    found = [check["text"] for check in document["checks"] if check["check"] == "provider"]
    assert any(text.startswith("codex for main: codex 0.") for text in found), found


def test_the_doctor_finds_a_codex_that_is_missing_or_too_old(program, fake):
    config = '[agents.main]\nprovider = "codex"\ncwd = "."\n[agents.main.options]\ncommand = {}\n'
    for command, said in [("/no/such/codex", "is no program"), (fake.options["command"], "does not tell its version")]:
        (program.cwd / "relaykit.toml").write_text(config.format(json.dumps(command)))
        ended = program("doctor", "--json")
        assert ended.code == 1
        (failed,) = [check["text"] for check in ended.json["checks"] if check["level"] == "fail"]
        assert said in failed
