"""What a relay with one agent costs while nothing happens."""

from __future__ import annotations

import time

from bench.figures import Figure
from bench.world import RELAYKIT, cpu_seconds, environment, resident_mib, running, temporary_home

SETTLE, WATCH = 2.0, 10.0
"""Seconds until it counts as idle, and for which it is looked at."""


def measure() -> list[Figure]:
    with (
        temporary_home() as home,
        running([RELAYKIT, "run", "--provider", "echo"], environment(home), cwd=home) as relay,
    ):
        pid = relay.process.pid
        time.sleep(SETTLE)
        before = cpu_seconds(pid)
        time.sleep(WATCH)
        share = (cpu_seconds(pid) - before) / WATCH * 100
        resident = resident_mib(pid)
    return [
        Figure(part="idle", what="memory of an idle relay with one agent", value=resident, unit="MiB", aim=34),
        Figure(part="idle", what="CPU of an idle relay with one agent", value=share, unit="% of one core"),
    ]
