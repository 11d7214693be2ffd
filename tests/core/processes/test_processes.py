from __future__ import annotations

import json
import os
import signal
import stat
import sys

import anyio
import pytest

from relaykit.errors import ProviderError
from relaykit.model import Whose
from relaykit.relay.children.launching import Launcher, Program
from relaykit.relay.children.orphans import MARK
from relaykit.relay.children.proc import carries, process_stat, wait_exit
from relaykit.relay.children.processes import RelayProcesses

pytestmark = pytest.mark.anyio

PYTHON = [sys.executable, "-I", "-S", "-c"]
GRANDCHILD = "import subprocess as s, sys; p = s.Popen(['sleep', '600']); print(p.pid, flush=True); sys.stdin.read()"
DEAF = "import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('deaf', flush=True)\nwhile True: signal.pause()"


async def read_all(stream) -> bytes:
    return b"".join([data async for data in stream])


async def test_a_program_reads_writes_complains_and_ends_with_its_code(processes):
    program = "import sys; print(sys.stdin.read() * 2); print('oh', file=sys.stderr); sys.exit(7)"
    with anyio.fail_after(10):
        async with processes.launch([*PYTHON, program]) as child:
            await child.stdin.send(b"ab")
            await child.stdin.aclose()
            assert await read_all(child.stdout) == b"abab\n"
            assert await read_all(child.stderr) == b"oh\n"
            assert await child.wait() == 7
        assert await child.wait() == 7


async def test_what_fails_while_a_program_starts_leaves_nothing_of_it(directory, boot):
    written_down = []

    def fail() -> None:
        written_down.extend(directory.iterdir())
        raise ImportError("no module is called so")

    with anyio.fail_after(10), pytest.raises(ImportError, match="called so"):
        async with RelayProcesses(directory, boot, meanwhile=fail).launch(["sleep", "600"]):
            pytest.fail("it was started all the same")
    assert len(written_down) == 1
    assert list(directory.iterdir()) == []


async def test_more_than_a_pipe_holds_goes_through_in_both_directions(processes):
    much = os.urandom(3_000_000)
    received = []

    async def collect() -> None:
        received.append(await read_all(child.stdout))

    with anyio.fail_after(10):
        async with processes.launch(["cat"]) as child, anyio.create_task_group() as tasks:
            tasks.start_soon(collect)
            await child.stdin.send(much)
            await child.stdin.aclose()
    assert received == [much]


async def test_it_has_the_environment_the_directory_and_the_name_it_was_given(processes, tmp_path):
    program = "import os; print(os.environ['A'], os.getcwd(), 'HOME' in os.environ)"
    with anyio.fail_after(10):
        async with processes.launch([*PYTHON, program], cwd=tmp_path, env={"A": "b"}) as child:
            assert await read_all(child.stdout) == f"b {tmp_path} False\n".encode()


async def test_it_ignores_no_signal_that_python_ignores_and_inherits_no_descriptor(processes):
    program = "grep SigIgn /proc/self/status; ls /proc/self/fd | wc -l"
    with anyio.fail_after(10):
        async with processes.launch(["sh", "-c", program]) as child:
            ignored, descriptors = (await read_all(child.stdout)).split(b"\n")[:2]
    # Whoever started the tests may ignore others; these two Python ignores by itself.
    python_ignores = sum(1 << (number - 1) for number in (signal.SIGPIPE, signal.SIGXFSZ))
    assert int(ignored.split()[1], 16) & python_ignores == 0
    assert int(descriptors) == 4  # its three pipes, and the directory that ls reads


async def test_it_is_written_down_while_it_lives_and_forgotten_afterwards(processes, directory, boot):
    with anyio.fail_after(10):
        async with processes.launch(["cat"]) as child:
            [path] = directory.iterdir()
            record = json.loads(path.read_text())
            assert stat.S_IMODE(path.stat().st_mode) == 0o600
            assert stat.S_IMODE(directory.stat().st_mode) == 0o700
            start = process_stat(child.pid).start
            assert await carries(child.pid, f"{MARK}={record['mark']}".encode())
        assert (record["pid"], record["start"], record["boot"]) == (child.pid, start, boot)
        assert list(directory.iterdir()) == []
        assert process_stat(child.pid) is None


async def test_leaving_ends_its_input_first(processes):
    with anyio.fail_after(10):
        async with processes.launch([*PYTHON, "import sys; sys.stdin.read(); sys.exit(3)"], grace=8) as child:
            pass
        assert await child.wait() == 3


async def test_leaving_asks_one_that_does_not_read_by_sigterm(processes):
    with anyio.fail_after(10):
        async with processes.launch(["sleep", "600"], grace=0.05) as child:
            pass
        assert await child.wait() == -signal.SIGTERM


async def test_leaving_kills_one_that_ignores_sigterm(processes):
    with anyio.fail_after(10):
        async with processes.launch([*PYTHON, DEAF], grace=0.05) as child:
            assert await child.stdout.receive() == b"deaf\n"
        assert await child.wait() == -signal.SIGKILL


async def test_leaving_kills_what_it_left_in_its_group(processes):
    with anyio.fail_after(10):
        async with processes.launch([*PYTHON, GRANDCHILD]) as child:
            grandchild = int(await child.stdout.receive())
            assert process_stat(grandchild).alive
        assert (process_stat(grandchild) is None) or not process_stat(grandchild).alive


async def test_a_cancelled_owner_still_ends_it(processes):
    with anyio.fail_after(10):
        with anyio.CancelScope() as scope:
            async with processes.launch(["sleep", "600"], grace=0.05) as child:
                scope.cancel()
                await anyio.sleep_forever()
        assert process_stat(child.pid) is None


async def test_a_signal_reaches_the_whole_group_and_one_that_is_gone_is_no_error(processes):
    with anyio.fail_after(10):
        async with processes.launch([*PYTHON, GRANDCHILD]) as child:
            grandchild = int(await child.stdout.receive())
            child.signal(signal.SIGINT)
            await wait_exit(grandchild)
            await child.wait()
            child.signal(signal.SIGINT)
        child.signal(signal.SIGINT)


async def test_several_may_wait_for_one_end(processes):
    codes = []

    async def wait() -> None:
        codes.append(await child.wait())

    with anyio.fail_after(10):
        async with processes.launch(["cat"]) as child, anyio.create_task_group() as tasks:
            for _ in range(3):
                tasks.start_soon(wait)
            await anyio.wait_all_tasks_blocked()
            await child.stdin.aclose()
    assert codes == [0, 0, 0]


async def test_a_closed_pipe_tells_its_reader_and_its_writer(processes):
    with anyio.fail_after(10):
        async with processes.launch(["cat"]) as child:
            async with anyio.create_task_group() as tasks:
                tasks.start_soon(expect_closed, child.stdout)
                await anyio.wait_all_tasks_blocked()
                await child.stdout.aclose()
            child.signal(signal.SIGKILL)
            await child.wait()
            with pytest.raises(anyio.BrokenResourceError):
                await child.stdin.send(b"anyone there?")


async def test_what_a_pipe_takes_at_once_is_written_without_waiting(processes):
    much = os.urandom(3_000_000)
    with anyio.fail_after(10):
        async with processes.launch(["cat"]) as child:
            assert child.stdin.send_nowait(b"one") == 3
            assert await child.stdout.receive() == b"one"
            written = child.stdin.send_nowait(much)
            assert 0 < written < len(much)
            received = await child.stdout.receive()
            while len(received) < written:
                received += await child.stdout.receive()
            assert received == much[:written]
            child.signal(signal.SIGKILL)
            await child.wait()
            with pytest.raises(anyio.BrokenResourceError):
                child.stdin.send_nowait(b"anyone there?")
            await child.stdin.aclose()
            with pytest.raises(anyio.ClosedResourceError):
                child.stdin.send_nowait(b"anyone there?")


@pytest.mark.parametrize("anyio_backend", ["asyncio", "trio"])
async def test_all_that_a_program_writes_is_fed_to_a_function_until_it_closes_it(processes):
    much, received = os.urandom(3_000_000), bytearray()
    with anyio.fail_after(10):
        async with processes.launch(["cat"]) as child, anyio.create_task_group() as tasks:
            await child.stdin.send(b"first")
            assert await child.stdout.receive(2) == b"fi"
            tasks.start_soon(child.stdout.feed, received.extend, name="feed")
            await child.stdin.send(much)
            await child.stdin.aclose()
    assert bytes(received) == b"rst" + much


@pytest.mark.parametrize("anyio_backend", ["asyncio", "trio"])
async def test_what_a_fed_function_raises_is_raised_to_who_feeds_it_and_the_rest_can_be_read(processes):
    with anyio.fail_after(10):
        async with processes.launch(["cat"]) as child:
            await child.stdin.send(b"one")
            with pytest.raises(TypeError):
                await child.stdout.feed(lambda: None)
            await child.stdin.send(b"two")
            await child.stdin.aclose()
            assert await read_all(child.stdout) == b"two"
            await child.stdout.aclose()
            with pytest.raises(anyio.ClosedResourceError):
                await child.stdout.feed(print)


async def test_a_pipe_that_is_closed_or_given_up_while_it_feeds_tells_so(processes):
    fed = []
    with anyio.fail_after(10):
        async with processes.launch(["cat"]) as child:
            async with anyio.create_task_group() as tasks:
                tasks.start_soon(child.stdout.feed, fed.append, name="given up")
                await anyio.wait_all_tasks_blocked()
                tasks.cancel_scope.cancel()
            await child.stdin.send(b"later")
            assert await child.stdout.receive() == b"later"
            async with anyio.create_task_group() as tasks:
                tasks.start_soon(expect_closed, child.stdout, name="closed")
                await anyio.wait_all_tasks_blocked()
                await child.stdout.aclose()
    assert fed == []


async def expect_closed(stream) -> None:
    with pytest.raises(anyio.ClosedResourceError):
        await stream.receive()


@pytest.mark.parametrize(
    "case",
    [
        ("gone", None, 0, "missing_binary", "not found; install it"),
        ("plain", "text", 0o644, "not_executable", "chmod"),
        ("foreign", "\x7fELFnot", 0o755, "not_executable", "Exec format error"),
        ("orphaned", "#!/no/such/interpreter\n", 0o755, "not_executable", "No such file"),
    ],
)
async def test_what_cannot_be_started_is_the_agents_fault(processes, directory, tmp_path, case):
    name, content, mode, code, said = case
    path = tmp_path / name
    if content is not None:
        path.write_text(content)
        path.chmod(mode)
    with anyio.fail_after(10), pytest.raises(ProviderError) as caught:
        async with processes.launch([str(path)]):
            pass
    fault = caught.value.fault
    assert (fault.whose, fault.code) == (Whose.AGENT, code)
    assert str(path) in fault.message
    assert said in fault.message
    assert "\n" not in fault.message
    assert not directory.exists() or list(directory.iterdir()) == []


async def test_a_name_is_looked_up_on_the_path_of_its_own_environment(processes, tmp_path):
    (tmp_path / "tool").write_text("#!/bin/sh\necho mine")
    (tmp_path / "tool").chmod(0o755)
    with anyio.fail_after(10):
        async with processes.launch(["tool"], env={"PATH": str(tmp_path)}) as child:
            assert await read_all(child.stdout) == b"mine\n"
        with pytest.raises(ProviderError, match="tool is not found"):
            async with processes.launch(["tool"]):
                pass


async def test_a_directory_that_is_missing_is_named(processes, tmp_path):
    with pytest.raises(ProviderError, match="gone is not a directory"):
        async with processes.launch(["cat"], cwd=tmp_path / "gone"):
            pass


async def test_a_directory_that_goes_while_a_program_starts_is_named(tmp_path):
    program = Program(path="/bin/true", argv=["true"], cwd=tmp_path / "gone", env={})
    launcher = Launcher.start()
    with (
        anyio.fail_after(10),
        pytest.raises(ProviderError, match=f"true was not started: No such.*{tmp_path / 'gone'}"),
    ):
        await launcher.become(program, lambda: None)
    launcher.abandon()


@pytest.mark.parametrize(
    ("argv", "env", "said"),
    [
        (["cat", "a\0b"], None, "'cat' holds a NUL"),
        (["cat"], {"A": "a\0b"}, "the environment variable 'A' cannot be set"),
        (["cat"], {"A=B": "c"}, "the environment variable 'A=B' cannot be set"),
        (["cat", "a" * 200_000], None, "cat cannot be run: Argument list too long$"),
    ],
    ids=["NUL in an argument", "NUL in a variable", "name with =", "too long"],
)
async def test_what_no_program_can_be_given_is_refused(processes, directory, argv, env, said):
    with anyio.fail_after(10), pytest.raises(ProviderError, match=said):
        async with processes.launch(argv, env=env and {**os.environ, **env}):
            pass
    assert not directory.exists() or list(directory.iterdir()) == []


async def test_an_environment_larger_than_a_socket_takes_at_once_is_given_whole(processes):
    much = {f"V{number}": str(number) * 100_000 for number in range(8)}
    with anyio.fail_after(10):
        async with processes.launch([*PYTHON, "import os; print(len(os.environ['V7']))"], env=much) as child:
            assert await read_all(child.stdout) == b"100000\n"
            assert await child.wait() == 0


@pytest.fixture
def launchers(monkeypatch):
    """Each launcher that is started."""
    found = []
    start = Launcher.start
    monkeypatch.setattr(Launcher, "start", lambda *given, **named: found.append(start(*given, **named)) or found[-1])
    return found


async def test_what_was_begun_ahead_becomes_the_next_program_and_no_other(processes, launchers, tmp_path):
    program = "import os; print(os.getcwd(), os.environ['A'])"
    with anyio.fail_after(10), processes.ahead():
        [begun] = launchers
        for number in range(2):
            async with processes.launch([*PYTHON, program], cwd=tmp_path, env={"A": str(number)}) as child:
                assert (child.pid == begun.popen.pid) is (number == 0)
                assert await read_all(child.stdout) == f"{tmp_path} {number}\n".encode()
                assert await child.wait() == 0


async def test_what_was_begun_ahead_and_not_needed_is_ended(processes, launchers):
    with processes.ahead():
        [begun] = launchers
        assert begun.popen.poll() is None
    assert begun.popen.returncode == -signal.SIGKILL
    assert process_stat(begun.popen.pid) is None


async def test_nothing_runs_that_could_not_be_written_down(processes, directory, tmp_path):
    directory.parent.mkdir()
    directory.write_text("in the way")
    with anyio.fail_after(10), pytest.raises(ProviderError) as caught:
        async with processes.launch(["touch", str(tmp_path / "ran")]):
            pass
    assert caught.value.fault.code == "cannot_record"
    assert not (tmp_path / "ran").exists()
