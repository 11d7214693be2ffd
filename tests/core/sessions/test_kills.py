import random
import subprocess
import sys
from pathlib import Path

import anyio
import pytest

from relaykit.sessions.store import open_sessions_file
from relaykit.testing.sessions import ended, numbers, record

WRITER = """
import sys
from pathlib import Path
import anyio
from relaykit.sessions.store import open_sessions_file
from relaykit.testing.sessions import ended, record

async def write():
    async with open_sessions_file(Path(sys.argv[1])) as store:
        number = (await store.begin(record())).last_number
        print(f"begun {number}", flush=True)
        while True:
            batch = [ended(number + place) for place in range(1, 4)]
            cursors = await store.append(batch, [("s", "b", str(number))])
            number += 3
            print(f"stored {number} {cursors[-1]}", flush=True)

anyio.run(write)
"""
KILLS = 6
SECONDS = 60


def write_until_killed(path: Path, lines: int) -> list[str]:
    """Run a writer, kill it once it has said so many lines; return all that it said."""
    with subprocess.Popen([sys.executable, "-c", WRITER, str(path)], stdout=subprocess.PIPE, text=True) as writer:
        try:
            said = [writer.stdout.readline() for _ in range(lines)]
        finally:
            writer.kill()
        said += writer.stdout.readlines()
    return [line for line in said if line.endswith("\n")]


@pytest.mark.parity("N-2")
@pytest.mark.anyio
@pytest.mark.parametrize("anyio_backend", ["asyncio"])
async def test_whatever_a_killed_process_was_told_is_stored_and_numbers_go_on_without_holes(tmp_path):
    path = tmp_path / "sessions.db"
    acknowledged = cursor = 0
    moments = random.Random(4)
    with anyio.fail_after(SECONDS):
        for _ in range(KILLS):
            begun, *stored = await anyio.to_thread.run_sync(write_until_killed, path, moments.randint(1, 60))
            assert int(begun.split()[1]) >= acknowledged
            if stored:
                acknowledged, cursor = map(int, stored[-1].split()[1:])
        async with open_sessions_file(path) as store:
            last = (await store.begin(record())).last_number
            events = await store.events(limit=10**6)
            assert acknowledged <= last <= acknowledged + 3
            assert numbers(events) == list(range(1, last + 1))
            assert await store.last_cursor() >= cursor
            assert await store.partials("s") == {"b": str(last - 3)}
            (following,) = await store.append([ended(last + 1)])
            assert following == events[-1].cursor + 1
