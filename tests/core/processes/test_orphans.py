"""Real processes, killed without warning. Only processes that these tests started are ever killed."""

from __future__ import annotations

import contextlib
import json
import os
import select
import signal
import subprocess
import sys

import pytest

from relaykit.relay.children.orphans import MARK, ChildRecord, end_orphans, write_record
from relaykit.relay.children.proc import process_stat

HELPER = """
import os, sys, anyio
from pathlib import Path
from relaykit.relay.children.processes import RelayProcesses

async def main(directory, boot, program):
    processes = RelayProcesses(Path(directory), boot)
    if not program:
        with processes.ahead():
            [begun] = Path("/proc/self/task", str(os.getpid()), "children").read_text().split()
            print(begun, flush=True)
            await anyio.sleep_forever()
    async with processes.launch(["sh", "-c", program]) as child:
        print(child.pid, flush=True)
        async for data in child.stdout:
            print(data.decode().strip(), flush=True)

anyio.run(main, *sys.argv[1:4], backend=sys.argv[4])
"""


def gone(pid: int, seconds: float = 5) -> bool:
    """Wait for a process to be dead; it need not be a child of ours."""
    try:
        descriptor = os.pidfd_open(pid)
    except ProcessLookupError:
        return True
    try:
        return bool(select.select([descriptor], [], [], seconds)[0])
    finally:
        os.close(descriptor)


@pytest.fixture
def started():
    """Kill, at the end, what a test started."""
    processes = []
    yield processes
    for process in processes:
        process.kill()
        process.wait()
        process.stdout.close()


@pytest.fixture(params=["asyncio", "trio"])
def relay(request, directory, boot, started):
    def start(program):
        words = [sys.executable, "-c", HELPER, str(directory), boot, program, request.param]
        process = subprocess.Popen(words, stdout=subprocess.PIPE, text=True)
        started.append(process)
        return process

    return start


def kill(process) -> None:
    process.kill()
    process.wait()


def group(started, program, **env):
    """Start a process group that is no child of a relay."""
    process = subprocess.Popen(
        ["sh", "-c", program],
        start_new_session=True,
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, **env},
    )
    started.append(process)
    return process


def record_of(pid: int, boot: str, *, start: int | None = None, mark: str = "m") -> ChildRecord:
    start = process_stat(pid).start if start is None else start
    return ChildRecord(pid=pid, start=start, boot=boot, mark=mark, program="sleep")


def test_what_was_begun_ahead_dies_with_a_relay_that_is_killed(relay):
    process = relay("")
    launcher = int(process.stdout.readline())
    kill(process)
    assert gone(launcher)


def test_a_child_dies_with_a_relay_that_is_killed(relay):
    process = relay("exec sleep 600")
    child = int(process.stdout.readline())
    assert process_stat(child).alive
    kill(process)
    assert gone(child)


@pytest.mark.anyio
@pytest.mark.parametrize("anyio_backend", ["asyncio"])
async def test_what_a_killed_child_left_behind_is_ended(relay, directory, boot):
    process = relay("sleep 600 & echo $!; wait")
    child, grandchild = int(process.stdout.readline()), int(process.stdout.readline())
    kill(process)
    assert gone(child)
    assert process_stat(grandchild).alive
    [ended] = await end_orphans(directory, boot)
    assert ended.pid == child
    assert gone(grandchild, 0)
    assert list(directory.iterdir()) == []


@pytest.mark.anyio
async def test_an_orphan_that_lives_is_ended_with_its_group(directory, boot, started):
    orphan = group(started, "trap '' TERM; sleep 600 & echo $!; wait")
    grandchild = int(orphan.stdout.readline())
    directory.mkdir(parents=True)
    write_record(directory, record_of(orphan.pid, boot))
    [ended] = await end_orphans(directory, boot)
    assert ended.pid == orphan.pid
    assert orphan.wait(5) == -signal.SIGKILL
    assert gone(grandchild, 0)
    assert list(directory.iterdir()) == []


@pytest.mark.anyio
async def test_a_stranger_with_the_same_pid_is_left_alone(directory, boot, started):
    stranger = group(started, "exec sleep 600")
    directory.mkdir(parents=True)
    write_record(directory, record_of(stranger.pid, boot, start=process_stat(stranger.pid).start - 1))
    assert await end_orphans(directory, boot) == []
    assert stranger.poll() is None
    assert list(directory.iterdir()) == []


@pytest.mark.anyio
async def test_a_record_of_another_boot_means_nothing(directory, boot, started):
    stranger = group(started, "exec sleep 600")
    directory.mkdir(parents=True)
    write_record(directory, record_of(stranger.pid, "another boot"))
    assert await end_orphans(directory, boot) == []
    assert stranger.poll() is None


@pytest.mark.anyio
@pytest.mark.parametrize("anyio_backend", ["asyncio"])
@pytest.mark.parametrize(("mark", "ended"), [("ours", 1), ("another", 0)])
async def test_without_its_leader_a_group_is_ours_by_the_mark_alone(directory, boot, started, mark, ended):
    leader = group(started, "sleep 600 & echo $!", **{MARK: "ours"})
    start = process_stat(leader.pid).start
    left = int(leader.stdout.readline())
    leader.wait()
    directory.mkdir(parents=True)
    write_record(directory, record_of(leader.pid, boot, start=start, mark=mark))
    assert len(await end_orphans(directory, boot)) == ended
    assert gone(left, 0) == bool(ended)
    with contextlib.suppress(ProcessLookupError):
        os.kill(left, signal.SIGKILL)


@pytest.mark.anyio
async def test_records_that_cannot_be_read_and_dead_ones_are_cleared_away(directory, boot):
    directory.mkdir(parents=True)
    (directory / "1.json").write_text("{")
    (directory / "2.json").write_text(json.dumps({"pid": 1}))
    write_record(directory, ChildRecord(pid=2**22 + 5, start=1, boot=boot, mark="m", program="p"))
    assert await end_orphans(directory, boot) == []
    assert list(directory.iterdir()) == []


@pytest.mark.anyio
async def test_a_directory_that_is_missing_has_no_orphans(directory, boot):
    assert await end_orphans(directory, boot) == []
