"""Names that nobody has, and homes that are not there: looking says so, and makes nothing."""

from __future__ import annotations

import pytest


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
