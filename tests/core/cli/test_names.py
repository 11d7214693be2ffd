"""Names that nobody has, and homes that are not there: looking says so, and makes nothing."""

from __future__ import annotations

import pytest

from relaykit.relay.clock import SystemClock
from relaykit.relay.runfile import run_file


@pytest.mark.parametrize("words", [["events"], ["events", "--follow"], ["sessions"], ["status"]])
def test_a_name_that_nobody_has_ends_with_1_and_a_near_miss(program, workers, words):
    workers.enlist("reviewer")
    ended = program(*words, "reviewr")
    assert (ended.code, ended.out) == (1, "")
    assert "there is no agent 'reviewr'; did you mean 'reviewer'?" in ended.err


@pytest.mark.parametrize("words", [["events"], ["sessions"]])
def test_an_agent_that_is_only_configured_has_done_nothing_yet(program, words):
    (program.cwd / "relaykit.toml").write_text('[agents.later]\nprovider = "echo"\n', encoding="utf-8")
    assert program(*words, "later").code == 0
    assert program(*words, "latter").code == 1


def test_the_history_of_an_agent_that_is_configured_no_more_is_shown(program, door):
    with program.relay("--provider", "echo", "--agent", "gone"):
        program("send", "gone", "hello", "--wait", "20")
    door.run(forget, "gone")
    assert program("status", "gone").code == 1
    assert program("events", "gone", "--json").lines
    assert [one["agent"] for one in program("sessions", "gone", "--json").json["sessions"]] == ["gone"]


def forget(tx, agent):
    tx.write("DELETE FROM agent WHERE id = ?", agent)


LOOKS = (
    ["status"], ["agents"], ["sessions"], ["events"], ["permissions"], ["inbox"], ["trace", "0"], ["doctor"],
    ["cancel", "0"], ["edit", "0", "x"], ["move", "0", "--first"], ["requeue", "0"], ["approve", "0"], ["deny", "0"],
    ["interrupt", "a"], ["stop", "a"], ["steer", "a", "x"], ["events", "a", "--follow"], ["status", "a"],
)  # fmt: skip


@pytest.mark.parametrize("words", LOOKS, ids=" ".join)
def test_who_only_looks_makes_no_home(program, words):
    assert "Traceback" not in program(*words).err
    assert not program.home.exists()
    assert list(program.cwd.iterdir()) == []


def test_status_says_that_there_is_no_home(program, tmp_path):
    program("send", "user", "hello")
    mistyped = tmp_path / "hoem"
    assert f"there is no home at {mistyped} yet" in program("--home", str(mistyped), "status").out
    assert "there is no home" not in program("status").out


def test_whoever_waits_for_a_first_message_makes_the_home_and_hears_it(program):
    assert program("inbox", "--wait", "0.1").code == 5
    assert program.home.exists()
    with program.start("inbox", "--wait", "20") as waiting:
        program("send", "user", "at last")
        out, _ = waiting.communicate(timeout=30)
    assert (waiting.returncode, "at last" in out) == (0, True)


def test_what_waits_for_a_transport_that_no_relay_has_says_so(program):
    sent = program.send("bob@nowhere", "hello")
    why = "no running relay has the transport 'nowhere'; it waits for one that has: [transports.nowhere]"
    assert f"  {why}" in program("trace", sent).out.splitlines()
    assert program.deliveries(sent)["bob@nowhere"]["waits"] == why
    assert "1 message waits for the transport 'nowhere', which no running relay has" in program("status").out
    assert program("status", "--json").json["beyond"] == [{"transport": "nowhere", "queued": 1, "carried": False}]
    boot = SystemClock().boot_id()
    with run_file(program.home, incarnation="i", agents=(), transports=("nowhere",), boot=boot, now=0.0):
        assert program.deliveries(sent)["bob@nowhere"]["waits"] is None
        assert program("status", "--json").json["beyond"][0]["carried"] is True
        assert "nowhere" not in program("status").out
    assert program("cancel", sent).code == 0
    assert program.deliveries(sent)["bob@nowhere"]["waits"] is None
    assert program("status", "--json").json["beyond"] == []
