"""The live view beside agents that ask: a key decides what stands in the window, and nothing else."""

from __future__ import annotations

import sys
from contextlib import contextmanager
from pathlib import Path

import pytest

from relaykit.testing.program import Program
from relaykit.testing.terminal import terminal

NOTHING = "nothing is decided"
SINK = '[sinks.terminal]\nuse = "console"\n'


@pytest.fixture
def program(tmp_path):
    about = tmp_path / "site" / "asking-1.0.dist-info"
    about.mkdir(parents=True)
    (about / "METADATA").write_text("Metadata-Version: 2.1\nName: asking\nVersion: 1.0\n", encoding="utf-8")
    (about / "entry_points.txt").write_text("[relaykit]\nasking = asking_provider\n", encoding="utf-8")
    program = Program(home=tmp_path / "home", cwd=tmp_path, env={"TERM": "xterm-256color"})
    parts = (tmp_path / "site", Path(__file__).parent, program.environment({})["PYTHONPATH"])
    program.env["PYTHONPATH"] = ":".join(map(str, parts))
    return program


@contextmanager
def shown(program, agents=2, more="", rows=24, columns=80):
    """Run so many agents in a window of that size, from when the first is ready."""
    tables = (f'[agents.agent-{number:02}]\nprovider = "asking"\n' for number in range(agents))
    (program.cwd / "relaykit.toml").write_text("".join(tables) + more, encoding="utf-8")
    argv = [sys.executable, "-m", "relaykit", "run", "--config", "relaykit.toml"]
    with terminal(argv, env=program.environment({}), cwd=program.cwd, rows=rows, columns=columns) as screen:
        screen.shows("idle")
        yield screen


def requests(program, *wanted):
    """Return the requests by what they ask for, each with its decision, once that many are decided."""

    def look():
        found = program("permissions", "--all", "--json").json["permissions"]
        decided = {one["title"]: one["decision"] for one in found}
        return decided if sum(map(bool, decided.values())) >= len(wanted) else None

    return program.until(look)


def request_id(program, title):
    found = program("permissions", "--json").json["permissions"]
    return next(one["id"] for one in found if one["title"] == title)


def test_however_many_agents_there_are_the_request_that_a_key_decides_is_in_the_window(program):
    program.env.update(LINES="60", COLUMNS="200")  # of another window; the terminal says its own
    with shown(program, agents=25) as screen:
        program.send("agent-00", "rm -rf /important")
        screen.shows("agent-00 asks", "rm -rf /important", "a approve", "and 7 more: 7 idle")
        screen.type("a")
        assert requests(program, "one") == {"rm -rf /important": "approve"}


def test_a_second_key_of_the_same_moment_decides_nothing_that_was_not_seen(program):
    with shown(program) as screen:
        program.send("agent-00", "first")
        program.send("agent-01", "second")
        screen.shows("agent-00 asks", "a approve", "second")
        screen.type("dd")
        screen.shows(NOTHING)
        assert requests(program, "one") == {"first": "deny", "second": None}
        screen.type("j")
        screen.shows("agent-01 asks", "a approve")
        screen.type("s")
        assert requests(program, "one", "two") == {"first": "deny", "second": "approve_for_session"}


def test_a_key_for_a_request_that_was_decided_elsewhere_decides_no_other(program):
    with shown(program) as screen:
        program.send("agent-00", "first")
        program.send("agent-01", "second")
        screen.shows("agent-00 asks", "a approve", "second")
        assert program("approve", request_id(program, "first")).code == 0
        screen.until(lambda text: "asks" not in text)
        screen.type("a")
        screen.shows(NOTHING)
        assert requests(program, "one") == {"first": "approve", "second": None}


def test_what_does_not_fit_the_window_is_approved_only_when_the_rest_was_shown(program):
    with shown(program, rows=12, columns=60) as screen:
        program.send("agent-00", "make " + "target " * 60 + "LAST~in /srv")
        screen.shows("agent-00 asks", "│ make", "lines 1 to", "then approve")
        screen.type("a")
        screen.shows("not approved")
        while "a approve" not in screen.text:
            before = screen.text
            screen.type(" ")
            screen.until(lambda text, before=before: text != before)
        assert "│ in /srv" in screen.text
        screen.type("a")
        assert list(requests(program, "one").values()) == ["approve"]


def test_a_window_of_another_size_is_filled_anew(program):
    with shown(program, agents=25, rows=40, columns=100) as screen:
        program.send("agent-00", "rm -rf /important")
        screen.shows("agent-00 asks", "a approve", "agent-24")
        screen.resize(12, 50)
        screen.shows("agent-00 asks", "a approve", "more: ")
        assert screen.text.count("status") == 1
        screen.resize(40, 100)
        screen.shows("agent-00 asks", "a approve", "agent-24")


def test_a_letter_that_the_terminal_lacks_stops_no_relay(program):
    program.env["PYTHONIOENCODING"] = "ascii"
    with shown(program) as screen:
        program.send("agent-00", "caf\N{LATIN SMALL LETTER E WITH ACUTE}")
        screen.shows("? caf?", "a approve")
        screen.type("d")
        screen.until(lambda text: "asks" not in text)
        screen.type("\x03")
        assert screen.ended() == 130


def test_a_turn_that_failed_leaves_a_note(program):
    with shown(program) as screen:
        program.send("agent-00", "fail\x1b[2J for want of a reason")
        screen.shows("agent-00: turn failed: fail", "[2J for want of a reason")
        assert b"\x1b[2J" not in screen.raw


@pytest.mark.parametrize("stream", ["stderr", "stdout"])
def test_the_lines_of_a_sink_go_above_the_view(program, stream):
    with shown(program, more=f'{SINK}stream = "{stream}"\n', rows=40, columns=100) as screen:
        program.send("agent-00", "first")
        screen.shows("agent-00: asks for permission (command): first", "agent-00: busy (permission)", "a approve")
        lines = screen.text.splitlines()
        (head,) = [number for number, line in enumerate(lines) if "at work on" in line]
        assert all(": " in line for line in lines[:head]), "nothing of an earlier picture"
        assert "asks for permission" not in "\n".join(lines[head:])
