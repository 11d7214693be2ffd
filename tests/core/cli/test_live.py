"""``relaykit run`` in a terminal: what its live view shows, and that it gives the terminal back as it was."""

from __future__ import annotations

import sys
import termios
from contextlib import contextmanager

import pytest

from relaykit.testing.program import Program
from relaykit.testing.terminal import terminal


@pytest.fixture
def program(tmp_path):
    return Program(home=tmp_path / "home", cwd=tmp_path)


@contextmanager
def shown(program, *words, **size):
    env = program.environment({"TERM": "xterm-256color", **program.env})
    with terminal([sys.executable, "-m", "relaykit", "run", *words], env=env, cwd=program.cwd, **size) as screen:
        yield screen


@pytest.mark.parity("AR-2")
def test_a_terminal_shows_the_agents_and_what_comes_of_them(program):
    with shown(program, "--provider", "echo", "--agent", "bob", "--option", "delay=0.5") as screen:
        screen.shows("bob", "idle")
        program.send("bob", "hello")
        screen.shows("busy (turn)")
        screen.shows("idle")
        assert "ready" not in screen.text
        screen.type("\x03")
        assert screen.ended() == 130
        assert all(word in screen.text for word in ("offline", "stopping; Ctrl-C once more stops at once"))
        assert screen.raw.rstrip().endswith(b"\x1b[?25h"), "the cursor is shown again"


def test_the_terminal_is_given_back_as_it_was(program):
    with shown(program, "--provider", "echo") as screen:
        screen.shows("idle")
        assert not termios.tcgetattr(screen._file)[3] & termios.ECHO
        screen.type("\x03")
        screen.until(lambda text: "offline" in text)
        program.until(lambda: termios.tcgetattr(screen._file)[3] & termios.ECHO)


def test_a_relay_whose_terminal_is_closed_stops_in_good_order(program):
    with shown(program, "--provider", "echo", "--agent", "bob") as screen:
        screen.shows("idle")
        assert screen.hang_up() == 0
    assert program("status", "bob").out.startswith("bob: offline")


@pytest.mark.parametrize("words", [["--headless"], ["--json"]])
def test_whoever_wants_lines_gets_lines(program, words):
    with shown(program, "--provider", "echo", *words) as screen:
        screen.shows("ready", "echo")
        assert "at work on" not in screen.text
        screen.type("\x03")
        assert screen.ended() == 130


def test_a_terminal_that_cannot_be_drawn_in_gets_lines(program):
    program.env["TERM"] = "unknown"
    with shown(program, "--provider", "echo") as screen:
        screen.shows("ready echo")
        screen.type("\x03")
        assert screen.ended() == 130
