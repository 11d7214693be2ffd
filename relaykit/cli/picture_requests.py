"""The permission requests in the live view: all of them in a line each, and the chosen one whole."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import Struct
from rich.cells import cell_len

from relaykit.cli.cells import fitted, folded, joined, styled, wrapped

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rich.text import Text

    from relaykit.model import PermissionRequest

_SHORT_ID = 8
_LEAST_TITLE = 8
_GAP = "  "
_EDGE = "│ "
"""Beside all that an agent wrote, so that none of it passes for a word of the view's own."""


class Page(Struct, frozen=True, kw_only=True):
    """What is shown of the chosen request."""

    first: int
    shown: int
    """How many of its lines."""
    total: int

    @property
    def after(self) -> int:
        """How many lines come after those."""
        return self.total - self.first - self.shown


class Asked(Struct, frozen=True, kw_only=True):
    """The chosen request in lines of the window's width."""

    head: Sequence[str]
    """Who asks, and what for."""
    body: Sequence[str]

    @property
    def height(self) -> int:
        """The lines that all of it takes."""
        return len(self.head) + len(self.body)

    @property
    def least(self) -> int:
        """The lines without which it is not shown at all: one of the body, and one that tells how many there are."""
        return len(self.head) + min(len(self.body), 2)


def asked(request: PermissionRequest, width: int) -> Asked:
    """Return a request in lines, all that is known of what it would do."""
    question = request.question
    head = folded(f"{request.agent} asks {request.id[:_SHORT_ID]}: {question.action}", width)
    texts = [question.title, question.detail if question.detail != question.title else ""]
    texts += [f"{choice.question} [{' | '.join(choice.options)}]" for choice in question.choices]
    body = [line for text in texts if text for line in wrapped(text, width - len(_EDGE))]
    return Asked(head=head, body=body or [""])


def paged(found: Asked, first: int, height: int) -> Page | None:
    """Return what so many lines show of it, from that line on; None where they are too few."""
    room, total = height - len(found.head), len(found.body)
    if height < found.least:
        return None
    if total <= room:
        return Page(first=0, shown=total, total=total)
    first = min(first, total - 1)
    return Page(first=first, shown=min(room - 1, total - first), total=total)


def asked_lines(found: Asked, page: Page) -> list[Text]:
    """Return that page of it, and what it leaves out."""
    lines = [styled((line, "bold")) for line in found.head]
    lines += [styled((_EDGE, "dim"), (line, "")) for line in found.body[page.first : page.first + page.shown]]
    if page.shown < page.total:
        lines.append(styled((f"lines {page.first + 1} to {page.first + page.shown} of {page.total}", "bold yellow")))
    return lines


def key_lines(page: Page | None, width: int, *, approves: bool, ready: bool, several: bool) -> list[Text]:
    """Return what keys do now."""
    return [styled((line, "dim")) for line in joined(_words(page, approves, ready, several), width, "   ")]


def most_keys(width: int, *, several: bool, chosen: bool) -> int:
    """Return the lines that the keys may take: as much is kept for them, so that no page changes its own size."""
    part = Page(first=0, shown=1, total=2) if chosen else None
    kinds = [(True, True), (False, True), (False, False)]
    return max(len(key_lines(part, width, approves=one, ready=two, several=several)) for one, two in kinds)


def _words(page: Page | None, approves: bool, ready: bool, several: bool) -> list[str]:
    move = ["up, down choose"] if several or page is None else []
    if page is not None and not ready:
        return ["in a moment keys decide it", *move, "Ctrl-C stop"]
    if page is None:
        return [*move, "Ctrl-C stop"]
    turn = ["space more"] if page.shown < page.total else []
    if not approves:
        return ["space the rest, then approve", "d deny", *move, "Ctrl-C stop"]
    return ["a approve", "s for the session", "d deny", *turn, *move, "Ctrl-C stop"]


def request_lines(requests: Sequence[PermissionRequest], chosen: str | None, width: int, height: int) -> list[Text]:
    """Return requests in so many lines, the chosen one among them, with how many more there are."""
    if len(requests) <= height:
        return [_row(one, chosen, requests, width) for one in requests]
    room = max(height - 1, 0)
    place = next((number for number, one in enumerate(requests) if one.id == chosen), 0)
    first = max(0, min(place - room // 2, len(requests) - room))
    lines = [_row(one, chosen, requests, width) for one in requests[first : first + room]]
    return [*lines, styled((fitted(f"and {len(requests) - room} more", width), "dim"))][:height]


def _row(request: PermissionRequest, chosen: str | None, requests: Sequence[PermissionRequest], width: int) -> Text:
    own = request.id == chosen
    mark = "› " if own else "  "  # noqa: RUF001 - it points
    widest = max(cell_len(one.agent) for one in requests)
    name = fitted(request.agent, min(widest, max(_LEAST_TITLE, width // 3))) + _GAP + request.id[:_SHORT_ID] + _GAP
    action = fitted(request.question.action, max(cell_len(one.question.action) for one in requests)) + _GAP
    left = width - cell_len(mark + name)
    if left - cell_len(action) >= _LEAST_TITLE:
        name, left = name + action, left - cell_len(action)
    return styled((mark + name, "bold" if own else ""), (fitted(request.question.title, left), ""))
