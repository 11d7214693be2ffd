"""What the live view draws: never more than the window holds, and the request that a key decides before all else."""

from __future__ import annotations

import pytest
from msgspec.structs import replace
from rich.cells import cell_len

from relaykit.cli.picture import Picture, drawn
from relaykit.model import (
    Agent,
    Choice,
    DirectoryEntry,
    PermissionRequest,
    Question,
    RequestState,
    Status,
    StatusKind,
    WorkItem,
)

SIZES = [(width, height) for width in (30, 60, 80, 100, 200) for height in (10, 24, 50)]
IDLE = Status(kind=StatusKind.IDLE, since=1.0)
TURN = (WorkItem(kind="turn", id="70717273-rest"), WorkItem(kind="message", id="3a913a91-rest"))
BUSY = Status(kind=StatusKind.BUSY, reason="turn", since=1.0, work=TURN)
ABSENT = "there is no codex on the PATH; install it, or say where it is by the option binary of the agent"
BROKEN = Status(kind=StatusKind.ERROR, reason="paused", detail=ABSENT, since=1.0)
LONG = "make " + " ".join(f"target-{number}" for number in range(30)) + " LAST"


def entry(name, status=IDLE):
    agent = Agent(id=name, provider="echo", cwd="/")
    return DirectoryEntry(
        agent=agent, epoch=1, owner="r", pid=None, session=None, status=status, queued=3, queued_bytes=9
    )


def request(number, title="rm -rf build", detail="", choices=()):
    question = Question(key="k", action="command", title=title, detail=detail, choices=choices)
    return PermissionRequest(
        id=f"{number:08}-rest",
        agent=f"agent-{number:02}",
        epoch=1,
        session="s",
        question=question,
        state=RequestState.OPEN,
        asked_at=0.0,
        expires_at=1.0,
    )


def picture(*requests, agents=25, **more):
    names = [entry(f"agent-{number:02}") for number in range(agents)]
    chosen = requests[-1].id if requests else None
    return Picture(agents=names, requests=requests, **{"chosen": chosen, "notes": ["careful"], **more})


def text(sheet):
    return "\n".join(line.plain.rstrip() for line in sheet.lines)


def asked(sheet):
    """What is shown of the chosen request, put together again."""
    return "".join(line.plain[2:] for line in sheet.lines if line.plain.startswith("│ "))


@pytest.mark.parametrize(("width", "height"), SIZES)
def test_request_keys_and_notes_are_in_the_window_however_many_agents_there_are(width, height):
    sheet = drawn(picture(request(1), request(2, "rm -rf /important")), width, height)
    shown = text(sheet)
    assert all(word in shown for word in ("rm -rf /important", "00000002", "agent-02", "a approve", "careful"))
    assert "more: " in shown or "agents: " in shown or "agent-24" in shown
    assert len(sheet.lines) <= height
    assert max(cell_len(line.plain) for line in sheet.lines) <= width
    assert (sheet.denies, sheet.approves) == (True, True)


@pytest.mark.parametrize(("width", "height"), SIZES)
def test_the_chosen_request_is_read_whole_page_by_page_and_approved_only_then(width, height):
    shown, first, seen = "", 0, False
    for _ in range(60):
        sheet = drawn(picture(request(1), request(2, LONG, "in /srv"), first=first, seen=seen), width, height)
        shown += asked(sheet)
        assert sheet.denies
        if seen := sheet.page.after == 0:
            break
        assert (sheet.approves, "a approve" in text(sheet)) == (False, False)
        assert f"of {sheet.page.total}" in text(sheet)
        first = sheet.page.first + sheet.page.shown
    assert seen
    assert sheet.approves
    assert shown == LONG + "in /srv"
    again = drawn(picture(request(1), request(2, LONG, "in /srv"), seen=True), width, height)
    assert again.approves, "its end was shown before"


@pytest.mark.parametrize("height", range(1, 8))
def test_where_a_request_or_the_keys_have_no_room_no_key_decides(height):
    sheet = drawn(picture(request(1), request(2, LONG)), 80, height)
    assert len(sheet.lines) <= height
    assert sheet.denies == ("│ make" in text(sheet) and "d deny" in text(sheet))


def test_without_a_choice_and_within_the_first_moment_no_key_decides():
    for more in ({"chosen": None}, {"ready": False}):
        sheet = drawn(picture(request(1), request(2), **more), 80, 24)
        assert (sheet.denies, sheet.approves, "a approve" in text(sheet)) == (False, False, False)
        assert "up, down choose" in text(sheet)


def test_the_mark_is_at_the_chosen_request_and_what_is_to_be_chosen_is_told():
    choice = Choice(question="Which?", options=("red", "blue"))
    sheet = drawn(picture(*(request(number, choices=[choice]) for number in range(1, 30))), 60, 24)
    (pointed,) = [
        line for line in text(sheet).splitlines() if line[0:1] == "\N{SINGLE RIGHT-POINTING ANGLE QUOTATION MARK}"
    ]
    assert "agent-29  00000029" in pointed
    assert "Which? [red | blue]" in text(sheet)
    assert "more" in text(sheet)


def test_many_requests_leave_room_and_are_counted():
    requests = [request(number) for number in range(1, 30)]
    shown = text(drawn(picture(*requests, agents=0, chosen=None), 60, 50))
    assert "and 21 more" in shown
    assert len(shown.splitlines()) < 20


@pytest.mark.parametrize(("width", "height"), SIZES)
def test_what_is_long_gives_way_before_names_and_an_error_is_read_below(width, height):
    agents = [entry("reviewer-a", BROKEN), entry("reviewer-b", BUSY)]
    shown = text(drawn(Picture(agents=agents), width, height))
    assert "reviewer-a" in shown
    assert "reviewer-b" in shown
    assert "error (paused)" in shown
    assert "no codex" in shown
    if width >= 60:
        assert all(head in shown for head in ("agent", "status", "since", "queued"))
        assert ABSENT in " ".join(shown.split())


def test_work_in_hand_is_named_by_its_label_or_its_id():
    labelled = replace(BUSY, work=(*TURN, WorkItem(kind="task", id="1", label="review it")))
    shown = text(drawn(Picture(agents=[entry("bob", labelled)]), 120, 24))
    assert "turn 70717273, message 3a913a91, task review it" in shown


def test_nothing_of_an_agents_commands_or_turns_the_terminal():
    evil = "ls\x1b[2J\x1b]0;t\x07\u202e\x9b2J\r\ud800"
    broken = Status(kind=StatusKind.ERROR, reason=evil, detail=evil, work=(WorkItem(kind=evil, id=evil),))
    evil_agent = replace(request(1, evil, evil, [Choice(question=evil, options=(evil,))]), agent=evil)
    sheet = drawn(
        Picture(agents=[entry(evil, broken)], requests=[evil_agent], chosen=evil_agent.id, notes=[evil]), 90, 40
    )
    assert "ls\\x1b[2J\\x1b]0;t\\x07\\u202e\\x9b2J\\x0d\\ud800" in text(sheet)
    assert all(letter.isprintable() for line in sheet.lines for letter in line.plain)


def test_lines_are_as_wide_as_their_letters_are_in_the_terminal():
    wide = "\N{CJK UNIFIED IDEOGRAPH-4E2D}" * 100
    sheet = drawn(picture(request(1, wide), request(2, wide), notes=[wide]), 31, 24)
    assert max(cell_len(line.plain) for line in sheet.lines) <= 31
    assert asked(sheet) + wide[len(asked(sheet)) :] == wide
