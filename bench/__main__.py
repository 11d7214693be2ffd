"""Runs the benchmark: all parts, or those that are named, and writes what came out beside this file."""

from __future__ import annotations

import argparse
import os
import platform
import sys
import time
from datetime import UTC, datetime
from importlib import import_module

from bench.figures import Figure, text, write

PARTS = ("startup", "idle", "mailbox", "first_turn", "turns", "many", "watchers", "dock")


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("parts", nargs="*", metavar="PART", help=f"one or more of {', '.join(PARTS)}; all if left out")
    parser.add_argument("--strict", action="store_true", help="end with 1 where a figure misses its aim")
    options = parser.parse_args()
    if unknown := set(options.parts) - set(PARTS):
        parser.error(f"there is no part {', '.join(sorted(unknown))}")
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
    begun = time.monotonic()
    figures = [figure for part in options.parts or PARTS for figure in _measured(part)]
    print(f"{_machine()}\n\n{text(figures)}")
    write(figures, _machine(), time.monotonic() - begun)
    return int(options.strict and not all(figure.reached for figure in figures))


def _measured(part: str) -> list[Figure]:
    begun = time.monotonic()
    print(f"{part} …", end="", file=sys.stderr, flush=True)
    figures: list[Figure] = import_module(f"bench.{part}").measure()
    print(f" {time.monotonic() - begun:.0f} s", file=sys.stderr)
    return figures


def _machine() -> str:
    cpus = len(os.sched_getaffinity(0))
    today = datetime.now(tz=UTC).date()
    return f"{today}, {cpus} vCPU, {platform.system()} {platform.machine()}, Python {platform.python_version()}"


if __name__ == "__main__":
    raise SystemExit(main())
