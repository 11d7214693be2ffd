"""What the live view of ``relaykit run`` shows, drawn from what is known at one moment into the room that there is.

People decide by what they see here. So the agents are what is shortened, and a sheet says what stands on it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import Struct, field

from relaykit.cli.cells import folded, styled
from relaykit.cli.output import clipped
from relaykit.cli.picture_agents import agent_lines
from relaykit.cli.picture_requests import Page, asked, asked_lines, key_lines, most_keys, paged, request_lines

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rich.text import Text

    from relaykit.model import DirectoryEntry, PermissionRequest

_MOST_NOTE_LINES = 3
_MOST_REQUESTS = 8
_ROOMY = 20
"""A window of so many lines has room for blank ones."""
_AGENTS_PART = 12
"""The agents keep one line, and one more for each so many of the window."""
_UNBOUNDED = 10**6


class Picture(Struct, frozen=True, kw_only=True):
    """Everything that is to be shown."""

    agents: Sequence[DirectoryEntry]
    requests: Sequence[PermissionRequest] = ()
    """The open ones, oldest first."""
    chosen: str | None = None
    """The id of the one that a key decides."""
    ready: bool = True
    """Whether it does already."""
    first: int = 0
    """The line of the chosen one from which on it is shown."""
    seen: bool = False
    """Whether its end was shown before."""
    notes: Sequence[str] = field(default_factory=tuple)
    """What the relay said last."""


class Sheet(Struct, frozen=True, kw_only=True):
    """What stands in the window, line by line."""

    lines: Sequence[Text]
    page: Page | None
    """What is shown of the chosen request."""
    denies: bool
    """Whether a key decides it: it is shown, and so are the keys."""
    approves: bool
    """Whether, besides, all of it is shown or was."""


def drawn(picture: Picture, width: int, height: int) -> Sheet:
    """Return what is shown in a window of that size, never more lines than that."""
    found = next((asked(one, width) for one in picture.requests if one.id == picture.chosen), None)
    several = len(picture.requests) > 1
    others = picture.requests if several or found is None else ()
    notes = [styled((line, "dim")) for note in picture.notes for line in _note(note, width)]
    blank = [styled(("", ""))] if height >= _ROOMY else []
    keys = most_keys(width, several=several, chosen=found is not None) if picture.requests else 0
    for_keys, for_found, for_others, for_notes, for_agents = _shares(
        height,
        (keys, keys),
        (found.least + len(blank), found.height + len(blank)) if found else (0, 0),
        _bounds(min(len(others), _MOST_REQUESTS + 1), 2, blank),
        _bounds(len(notes), 1, blank),
        _bounds(len(agent_lines(picture.agents, width, _UNBOUNDED)), 1 + height // _AGENTS_PART, []),
    )
    page = paged(found, picture.first, for_found - len(blank)) if found else None
    denies = page is not None and picture.ready and for_keys == keys
    approves = denies and page is not None and (page.after == 0 or picture.seen)
    lines = agent_lines(picture.agents, width, for_agents)
    if others:
        lines += (blank + request_lines(others, picture.chosen, width, for_others - len(blank)))[:for_others]
    if found and page:
        lines += blank + asked_lines(found, page)
    if picture.requests:
        lines += key_lines(page, width, approves=approves, ready=picture.ready, several=several)[:for_keys]
    if for_notes > len(blank):
        lines += blank + notes[len(blank) - for_notes :]
    return Sheet(lines=lines, page=page, denies=denies, approves=approves)


def _note(note: str, width: int) -> Sequence[str]:
    return folded(clipped(note, _MOST_NOTE_LINES * width), width)


def _bounds(wanted: int, least: int, blank: Sequence[Text]) -> tuple[int, int]:
    """Return how many lines a part has to have and would have, the blank one before it among them."""
    return (min(wanted, least) + len(blank), wanted + len(blank)) if wanted else (0, 0)


def _shares(height: int, *parts: tuple[int, int]) -> list[int]:
    """Share lines out, to the first part first: what each has to have, then what each would have."""
    given = [0] * len(parts)
    for bound in (0, 1):
        for number, part in enumerate(parts):
            given[number] += max(0, min(part[bound] - given[number], height - sum(given)))
    return given
