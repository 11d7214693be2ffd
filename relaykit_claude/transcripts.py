"""The transcript files of a configuration directory, and what of our sessions is not in them yet.

Claude writes a conversation down with its first message, and everything a moment after it told of it (0.15 s were
seen). Killed before that, it leaves nothing behind, though a command may have run. So two things are written down
here: which sessions were begun and have no file yet, of which alone no file means that nothing is lost; and the
submissions of the last turn that used a tool, which are never to be handed over as if nothing had happened.
"""

from __future__ import annotations

import json
import re
from functools import partial
from typing import TYPE_CHECKING

import anyio.to_thread
from msgspec.structs import replace

from relaykit.model import Block, BlockKind, PastSession, PastTurn
from relaykit.plugin.fields import strings, text
from relaykit.plugin.jsonlines import Skipped, read_line
from relaykit_claude.leftovers import keep_latest, latest
from relaykit_claude.transcript import Transcript

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from pathlib import Path

_NAME = re.compile(r"[0-9A-Za-z-]{1,64}")
_AGENT = re.compile(r"agent-([0-9A-Za-z-]+)\.jsonl")


class Transcripts:
    """Reads what claude wrote down."""

    def __init__(self, config: Path, home: Path) -> None:
        self._projects = config / "projects"
        self._unseen = home / "unseen"
        self._worked = home / "worked"

    def find(self, session: str) -> Path | None:
        """Return the file of a session; claude goes on with one from any directory."""
        if not _NAME.fullmatch(session):
            return None
        return next(iter(self._projects.glob(f"*/{session}.jsonl")), None)

    def begin(self, session: str) -> None:
        """Note a new session, before it is given anything."""
        self._unseen.mkdir(mode=0o700, parents=True, exist_ok=True)
        (self._unseen / session).touch(mode=0o600)
        keep_latest(self._unseen.iterdir())

    def written(self, session: str) -> bool:
        """Note that the session has a file; return whether it has one."""
        if self.find(session) is None:
            return False
        (self._unseen / session).unlink(missing_ok=True)
        return True

    def worked(self, session: str, submissions: Iterable[str]) -> None:
        """Note that a turn with these submissions uses a tool."""
        if _NAME.fullmatch(session):
            self._worked.mkdir(mode=0o700, parents=True, exist_ok=True)
            new = (
                self._worked / f".{session}"
            )  # in one step: a relay that is killed here must leave the one or the other
            new.touch(mode=0o600)
            new.write_text(json.dumps([*submissions]), encoding="utf-8")
            new.replace(self._worked / session)
            keep_latest(self._worked.iterdir())

    def was_begun(self, session: str) -> bool:
        """Whether the session was begun here and never seen to take a message."""
        return _NAME.fullmatch(session) is not None and (self._unseen / session).exists()

    async def turns(self, session: str) -> Sequence[PastTurn] | None:
        """Return a session's turns; None where it cannot be read, none where nothing came of it."""
        path = self.find(session)
        if path is None:
            return self._with_worked(session, ()) if self.was_begun(session) else None
        transcript = await anyio.to_thread.run_sync(_read, path)
        return None if transcript is None else self._with_worked(session, transcript.turns)

    def _with_worked(self, session: str, turns: Sequence[PastTurn]) -> Sequence[PastTurn]:
        """Add what a turn that worked lost on the way to the file: its work, or all of it."""
        worked = self._last_worked(session)
        known = {name for turn in turns for name in turn.submissions}
        found = [
            replace(turn, worked=turn.worked or any(name in worked for name in turn.submissions)) for turn in turns
        ]
        lost = tuple(name for name in worked if name not in known)
        if lost:
            found.append(PastTurn(id=lost[0], submissions=lost, outcome=None, worked=True, told=False))
        return tuple(found)

    def _last_worked(self, session: str) -> list[str]:
        try:
            return strings({"names": json.loads((self._worked / session).read_bytes())}, "names")
        except (OSError, ValueError):
            return []

    async def blocks(self, session: str) -> Sequence[Block] | None:
        """Return a session's blocks, those of its subagents where these began; None where it cannot be read."""
        path = self.find(session)
        return None if path is None else await anyio.to_thread.run_sync(_all_blocks, path)

    async def sessions(self, limit: int) -> Sequence[PastSession]:
        """Return the conversations of this configuration directory, the latest first."""
        return await anyio.to_thread.run_sync(partial(_sessions, self._projects, limit))


def _read(path: Path, conversation: str = "main") -> Transcript | None:
    try:
        with path.open("rb") as lines:
            return Transcript(conversation).read(lines)
    except OSError:
        return None


def _all_blocks(path: Path) -> Sequence[Block] | None:
    transcript = _read(path)
    if transcript is None:
        return None
    agents = {block.data["use"]: (block, inner) for block, inner in _agents(path.with_suffix("") / "subagents")}
    told: list[Block] = []
    for block in transcript.blocks:
        told.append(block)
        if block.kind is BlockKind.TOOL_USE and block.id in agents:
            agent, inner = agents[block.id]
            told += [replace(one, turn=block.turn) for one in (agent, *inner)]
    return told


def _agents(folder: Path) -> Iterator[tuple[Block, Sequence[Block]]]:
    for path in sorted(folder.glob("agent-*.jsonl")):
        found = _AGENT.fullmatch(path.name)
        transcript = _read(path, found[1]) if found else None
        meta = _meta(path.with_suffix(".meta.json"))
        if found is None or transcript is None or not text(meta, "toolUseId"):
            continue
        block = Block(
            id=found[1],
            kind=BlockKind.SUBAGENT,
            name=text(meta, "agentType") or "subagent",
            text=text(meta, "description"),
            data={"use": text(meta, "toolUseId")},
        )
        yield block, transcript.blocks


def _meta(path: Path) -> object:
    try:
        found = read_line(path.read_bytes())
    except OSError:
        return {}
    return {} if isinstance(found, Skipped) else found


def _sessions(projects: Path, limit: int) -> list[PastSession]:
    found = [(at, path.stem, _read(path)) for at, path in latest(projects.glob("*/*.jsonl"))[:limit]]
    return [
        PastSession(id=name, cwd=transcript.cwd, title=" ".join(transcript.title.split())[:200], updated_at=at)
        for at, name, transcript in found
        if transcript is not None
    ]
