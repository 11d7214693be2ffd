"""``relaykit run`` in a terminal: what its live view shows, and that it gives the terminal back as it was."""

from __future__ import annotations

import io
import sys
import termios
from contextlib import contextmanager

import pytest
from rich.console import Console

from relaykit.cli.picture import Picture, drawn
from relaykit.model import (
    Agent,
    DirectoryEntry,
    PermissionRequest,
    Question,
    RequestState,
    Status,
    StatusKind,
    WorkItem,
)
from relaykit.testing.program import Program
from relaykit.testing.terminal import terminal


@pytest.fixture
def program(tmp_path):
    return Program(home=tmp_path / "home", cwd=tmp_path)


@contextmanager
def shown(program, *words):
    env = {**program.environment({}), "TERM": "xterm-256color"}
    with terminal([sys.executable, "-m", "relaykit", "run", *words], env=env, cwd=program.cwd) as screen:
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


def printed(picture, width=100):
    console = Console(file=io.StringIO(), width=width, color_system=None)
    console.print(drawn(picture))
    return console.file.getvalue()


def entry(name, status):
    agent = Agent(id=name, provider="echo", cwd="/")
    return DirectoryEntry(
        agent=agent, epoch=1, owner="r", pid=None, session=None, status=status, queued=3, queued_bytes=9
    )


def request(number):
    return PermissionRequest(
        id=f"{number}2345678-rest",
        agent="bob",
        epoch=1,
        session="s",
        question=Question(key="k", action="command", title=f"rm -rf {number}\x1b[2J"),
        state=RequestState.OPEN,
        asked_at=0.0,
        expires_at=1.0,
        decision=None,
        decided_by="",
        reason="",
        applied=False,
        delivery=None,
    )


def test_the_picture_has_the_work_in_hand_and_points_at_the_request_that_a_key_decides():
    busy = Status(kind=StatusKind.BUSY, reason="turn", work=(WorkItem(kind="task", id="1", label="review it"),))
    text = printed(Picture(agents=[entry("bob", busy)], requests=[request(1), request(2)], chosen=1, notes=["careful"]))
    assert all(word in text for word in ("busy (turn)", "task review it", "12345678", "a approve", "careful"))
    (pointed,) = [
        line for line in text.splitlines() if line.startswith("\N{SINGLE RIGHT-POINTING ANGLE QUOTATION MARK}")
    ]
    assert "22345678" in pointed
    assert "\x1b" not in text, "no agent draws in the person's terminal"


def test_a_picture_of_many_requests_stays_small():
    text = printed(Picture(agents=[], requests=[request(number) for number in range(1, 30)]), width=60)
    assert "and 21 more" in text
    assert len(text.splitlines()) < 20
