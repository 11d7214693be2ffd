from __future__ import annotations

import json
import os
import select
import signal
import subprocess
import sys
from pathlib import Path

import anyio
import pytest

import relaykit
from relaykit.errors import ProviderError
from relaykit.relay.children import orphans
from relaykit.relay.children.processes import RelayProcesses
from relaykit.relay.clock import SystemClock

pytestmark = pytest.mark.anyio
BOOT = SystemClock().boot_id()
SLEEP = [sys.executable, "-c", "import time; time.sleep(600)"]
STARTS = """
import anyio, sys
from pathlib import Path
from relaykit.relay.children.processes import RelayProcesses
from relaykit.relay.clock import SystemClock

async def main():
    processes = RelayProcesses(Path(sys.argv[1]), SystemClock().boot_id())
    process = await processes.detached("key", sys.argv[3:], output=Path(sys.argv[2]))
    print(process.pid, flush=True)
    await anyio.sleep_forever()

anyio.run(main)
"""


@pytest.fixture
def anyio_backend():
    return "asyncio"


@pytest.fixture
async def place(tmp_path):
    """Where children are written down; what is left of them is ended."""
    directory = tmp_path / "children"
    yield directory
    await orphans.end_detached(directory, BOOT)


@pytest.fixture
def another(tmp_path, place):
    """Starts a detached process from another relay, and kills that relay."""

    def start(*argv):
        words = [sys.executable, "-c", STARTS, str(place), str(tmp_path / "output"), *(argv or SLEEP)]
        path = {"PYTHONPATH": str(Path(relaykit.__file__).parents[1])}
        with subprocess.Popen(words, stdout=subprocess.PIPE, env={**os.environ, **path}) as relay:
            pid = int(relay.stdout.readline())
            relay.kill()
        return pid

    return start


def is_alive(pid):
    stat = orphans.process_stat(pid)
    return stat is not None and stat.alive


async def test_it_outlives_its_relay_is_no_orphan_and_is_found_again(place, tmp_path, another):
    pid = another()
    assert await orphans.end_orphans(place, BOOT) == []
    assert is_alive(pid)
    process = await RelayProcesses(place, BOOT).detached("key", SLEEP, output=tmp_path / "output")
    assert (process.pid, process.found) == (pid, True)
    await process.end()
    assert not is_alive(pid)
    assert orphans.detached(place, BOOT) == []


WRITES = """
import signal, sys
signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGUSR1})
with open(sys.argv[1], "w") as told:
    print("x" * 2**21, flush=True)
    print("written", file=told, flush=True)
    signal.sigwait({signal.SIGUSR1})
    print("more", flush=True)
    print("written", file=told, flush=True)
signal.sigwait({signal.SIGUSR1})
"""


async def test_what_it_wrote_is_cut_where_it_is_found_with_much_and_it_goes_on(place, tmp_path, another):
    fifo, output = tmp_path / "told", tmp_path / "output"
    os.mkfifo(fifo)
    # Both ends: to open one alone would wait for the other.
    with os.fdopen(os.open(fifo, os.O_RDWR), "rb", buffering=0) as told:
        pid = another(sys.executable, "-c", WRITES, str(fifo))
        assert select.select([told], [], [], 10)[0]
        assert told.read(8) == b"written\n"
        assert output.stat().st_size > 2**21
        process = await RelayProcesses(place, BOOT).detached("key", SLEEP, output=output)
        assert (process.pid, output.stat().st_size) == (pid, 0)
        os.kill(pid, signal.SIGUSR1)
        assert select.select([told], [], [], 10)[0]
    assert output.read_bytes() == b"more\n"


async def test_one_of_another_key_is_ended_first(place, tmp_path, another):
    pid = another()
    process = await RelayProcesses(place, BOOT).detached("other", SLEEP, output=tmp_path / "output")
    assert (process.found, is_alive(pid), is_alive(process.pid)) == (False, False, True)
    assert [record.pid for record in orphans.detached(place, BOOT)] == [process.pid]


async def test_what_a_dead_one_left_behind_is_ended_before_another_is_started(place, tmp_path, another):
    left = "import os, subprocess as s; s.Popen(['sleep', '600'], start_new_session=True); os.kill(os.getpid(), 9)"
    pid = another(sys.executable, "-c", left)
    with anyio.fail_after(10):
        await orphans.wait_exit(pid)
    (record,) = orphans.detached(place, BOOT)
    bearers = await orphans.living_bearers(f"{orphans.MARK}={record.mark}".encode())
    assert [orphans.process_stat(one.pid).group for one in bearers] == [one.pid for one in bearers] != []
    process = await RelayProcesses(place, BOOT).detached("key", SLEEP, output=tmp_path / "output")
    assert not process.found
    assert not any(is_alive(one.pid) for one in bearers)


async def test_a_record_of_a_stranger_under_its_number_is_not_taken_for_it(place, tmp_path, another):
    pid = another()
    path = place / f"{pid}.json"
    record = json.loads(path.read_text())
    path.write_text(json.dumps({**record, "start": record["start"] + 1}))
    process = await RelayProcesses(place, BOOT).detached("key", SLEEP, output=tmp_path / "output")
    assert not process.found
    os.kill(pid, signal.SIGKILL)


async def test_it_says_how_it_ended_and_its_output_is_kept_private(place, tmp_path):
    output = tmp_path / "output"
    argv = [sys.executable, "-c", "import sys; print('out', flush=True); sys.exit('last words')"]
    process = await RelayProcesses(place, BOOT).detached("key", argv, output=output)
    with anyio.fail_after(10):
        assert (await process.wait(), await process.wait()) == (1, 1)
    assert output.read_text() == "out\nlast words\n"
    assert output.stat().st_mode & 0o777 == 0o600


async def test_one_that_cannot_be_started_is_an_error_and_is_not_written_down(place, tmp_path):
    program = tmp_path / "program"
    program.write_text("no program")
    program.chmod(0o700)
    with pytest.raises(ProviderError, match="cannot be run"):
        await RelayProcesses(place, BOOT).detached("key", [str(program)], output=tmp_path / "output")
    assert orphans.detached(place, BOOT) == []
