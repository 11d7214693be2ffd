"""What a provider's hooks report of work that its own stream does not show: reasons for a status, nothing more."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from msgspec import Struct, field

from relaykit.model import ProviderNote, WorkItem

HOOK = "hook."
"""Begins the name of a note that came through a hook."""
_BEGINS = {f"{HOOK}SubagentStart": "subagent", f"{HOOK}PreCompact": "compaction"}
_ENDS = {f"{HOOK}SubagentStop": "subagent", f"{HOOK}PostCompact": "compaction"}
_MOST = 50


class Hooked(Struct):
    """Work that hooks said has begun and not that it ended. It ends with the turn at the latest."""

    _work: dict[tuple[str, str], str] = field(default_factory=dict)

    def fold(self, note: ProviderNote) -> None:
        """Take in one note; those that came by no hook say nothing here."""
        key = _text(note.data, "agent_id", "trigger")
        if (kind := _BEGINS.get(note.name)) and len(self._work) < _MOST:
            self._work[kind, key] = _text(note.data, "agent_type", "trigger")
        elif kind := _ENDS.get(note.name):
            self._work.pop((kind, key), None)

    def clear(self) -> None:
        """Forget it all: the turn is over."""
        self._work.clear()

    def items(self) -> Iterator[WorkItem]:
        """Yield the work as reasons of a status."""
        for (kind, name), label in self._work.items():
            yield WorkItem(kind=kind, id=name, label=label)


def _text(data: Mapping[str, object], *names: str) -> str:
    found = (data.get(name) for name in names)
    return next((text for text in found if isinstance(text, str)), "")
