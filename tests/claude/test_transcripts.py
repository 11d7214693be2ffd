"""What is kept of sessions beside their transcripts, and what is not."""

from __future__ import annotations

import json
import os
from pathlib import Path
from uuid import UUID

import pytest

from relaykit.plugin import SessionRequest
from relaykit_claude.equipment import equip
from relaykit_claude.leftovers import KEPT
from relaykit_claude.transcripts import Transcripts

pytestmark = pytest.mark.anyio


@pytest.fixture
def transcripts(tmp_path):
    (tmp_path / "config" / "projects" / "p").mkdir(parents=True)
    return Transcripts(tmp_path / "config", tmp_path / "home")


def test_what_worked_is_written_for_its_owner_alone_and_in_one_step(transcripts, tmp_path, monkeypatch):
    transcripts.worked("s", ["first"])
    file = tmp_path / "home" / "worked" / "s"
    assert file.stat().st_mode & 0o777 == 0o600

    def killed(path, *_, **__):
        path.open("w").close()
        raise KeyboardInterrupt

    monkeypatch.setattr(Path, "write_text", killed)
    with pytest.raises(KeyboardInterrupt):
        transcripts.worked("s", ["second"])
    assert json.loads(file.read_bytes()) == ["first"]


def test_only_the_latest_sessions_are_remembered(transcripts, tmp_path):
    for number in range(KEPT + 5):
        for name, note in (("unseen", transcripts.begin), ("worked", lambda session: transcripts.worked(session, []))):
            note(f"s{number}")
            os.utime(tmp_path / "home" / name / f"s{number}", (number, number))
    assert not transcripts.was_begun("s3")
    for name in ("unseen", "worked"):
        left = {path.name for path in (tmp_path / "home" / name).iterdir()}
        assert len(left) == KEPT
        assert {"s5", f"s{KEPT + 4}"} <= left


def test_what_a_killed_claude_left_goes_with_the_next_session(tmp_path):
    left = tmp_path / "run" / "cc-socks" / "1.sock"
    left.parent.mkdir(parents=True)
    left.touch()
    for number in range(KEPT + 5):
        session = tmp_path / "tmp" / "claude-0" / "workspace" / str(UUID(int=number))
        session.mkdir(parents=True)
        os.utime(session, (number, number))
        command = tmp_path / "tmp" / "clone" / "package" / f"module{number}.py"
        command.parent.mkdir(parents=True, exist_ok=True)
        command.touch()
    with equip(SessionRequest(agent="main", cwd=tmp_path), tmp_path):
        assert not left.exists()
        sessions = {path.name for path in (tmp_path / "tmp").glob("claude-0/*/*")}
        assert sessions == {str(UUID(int=number)) for number in range(5, KEPT + 5)}
        assert len(list((tmp_path / "tmp" / "clone" / "package").iterdir())) == KEPT + 5


async def test_a_transcript_that_vanishes_while_they_are_listed_is_left_out(transcripts, tmp_path):
    place = tmp_path / "config" / "projects" / "p"
    (place / "there.jsonl").write_text('{"type": "user", "cwd": "/w"}\n')
    (place / "gone.jsonl").symlink_to(place / "removed")  # what is listed and not there
    assert [one.id for one in await transcripts.sessions(10)] == ["there"]
