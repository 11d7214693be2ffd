"""What was measured, as a table: beside what it was measured, and what was aimed at."""

from __future__ import annotations

import json
import platform
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

RESULTS = Path(__file__).parent / "results"
HEADS = ("what", "measured", "aim", "beside it in the same run")


@dataclass(frozen=True, slots=True, kw_only=True)
class Figure:
    """One figure: a median or a ratio of one run."""

    part: str
    what: str
    value: float
    unit: str = ""
    aim: float | None = None
    least: bool = False
    """The aim is a floor; otherwise a ceiling."""
    note: str = ""
    """What was measured beside it."""

    @property
    def reached(self) -> bool:
        if self.aim is None:
            return True
        return self.value >= self.aim if self.least else self.value <= self.aim

    def row(self) -> tuple[str, ...]:
        """Return what stands in the table."""
        bound = "≥" if self.least else "≤"
        aim = "" if self.aim is None else f"{bound} {_said(self.aim, self.unit)}"
        missed = "" if self.reached else " (missed)"
        return self.what, _said(self.value, self.unit), aim + missed, self.note


def _said(value: float, unit: str) -> str:
    shown = f"{value:,.0f}" if value >= 100 else f"{value:.3g}"
    return f"{shown} {unit}".rstrip()


def text(figures: Sequence[Figure]) -> str:
    """Return the table for a terminal."""
    rows = [HEADS, *(figure.row() for figure in figures)]
    widths = [max(len(row[column]) for row in rows) for column in range(len(HEADS))]
    return "\n".join(
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows
    )


def markdown(figures: Sequence[Figure]) -> str:
    """Return the table for a page."""
    rows = [HEADS, tuple("---" for _ in HEADS), *(figure.row() for figure in figures)]
    return "".join(f"| {' | '.join(row)} |\n" for row in rows)


def write(figures: Sequence[Figure], machine: str, seconds: float) -> None:
    """Write ``latest.json`` and ``latest.md`` into the results."""
    RESULTS.mkdir(exist_ok=True)
    found = [{**asdict(figure), "reached": figure.reached} for figure in figures]
    document = {"machine": machine, "python": platform.python_version(), "seconds": round(seconds), "figures": found}
    (RESULTS / "latest.json").write_text(json.dumps(document, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
    (RESULTS / "latest.md").write_text(f"{machine}\n\n{markdown(figures)}", encoding="utf-8")
