"""Write the pages of docs/reference that come from the code; ``--check`` says which ones are out of date."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from pathlib import Path

from reference import commands, configuration, dock, tools

DOCS = Path(__file__).parents[1] / "docs" / "reference"
PAGES: Mapping[str, Callable[[], str]] = {
    "commands.md": commands.page,
    "configuration.md": configuration.page,
    "dock.md": dock.page,
    "tools.md": tools.page,
}
"""Every page, with what returns its text."""


def main(arguments: list[str]) -> int:
    """Write the pages, or with ``--check`` return 1 where one is not what would be written."""
    stale = []
    for name, text in PAGES.items():
        path, wanted = DOCS / name, text().rstrip("\n") + "\n"
        if path.exists() and path.read_text(encoding="utf-8") == wanted:
            continue
        if "--check" in arguments:
            stale.append(name)
        else:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(wanted, encoding="utf-8")
            print(f"wrote {path}")
    if stale:
        print(f"out of date: {', '.join(stale)}; run `python scripts/gen_reference.py`", file=sys.stderr)
    return 1 if stale else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
