"""Standard streams that are closed, full, or read no more."""

from __future__ import annotations

import os
import pty
import select
import signal
import subprocess
import sys

import pytest

from relaykit.testing.program import SECONDS, Ended


def with_streams(program, redirections, *words):
    """Run a command as a shell does that redirects its streams."""
    script = f'exec "$@" {redirections}'
    done = subprocess.run(
        ["sh", "-c", script, "sh", sys.executable, "-m", "relaykit", *words],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=SECONDS,
        env=program.environment({}),
        cwd=program.cwd,
        check=False,
    )
    return Ended(done.returncode, done.stdout, done.stderr)


@pytest.mark.parametrize(("words", "said"), [(["send", "a"], "text"), (["credentials", "set", "x"], "secret")])
def test_a_closed_standard_input_gives_nothing(program, words, said):
    ended = with_streams(program, "<&-", *words)
    assert (ended.code, ended.out, ended.err) == (2, "", f"relaykit: the {said} is empty\n")


@pytest.mark.parametrize("closed", ["<&-", ">&-", "2>&-", "<&- >&- 2>&-"])
def test_a_command_does_its_work_whichever_streams_are_closed(program, closed):
    ended = with_streams(program, closed, "send", "user", "hello")
    assert (ended.code, ended.err) == (0, "")
    assert [item["body"] for item in program("inbox", "--json").json["items"]] == ["hello"]


def test_a_relay_runs_without_any_standard_stream(program):
    script = 'exec "$@" <&- >&- 2>&-'
    argv = ["sh", "-c", script, "sh", sys.executable, "-m", "relaykit", "run", "--provider", "echo"]
    with (
        program.following() as events,
        subprocess.Popen(argv, env=program.environment({}), cwd=program.cwd) as relay,
    ):
        try:
            events.until("status")
            assert program("send", "echo", "hello", "--wait", "20").out == "echo: hello\n"
            relay.send_signal(signal.SIGTERM)
            assert relay.wait(SECONDS) == 0
        finally:
            relay.kill()


def test_the_end_of_input_at_the_prompt_of_a_secret_is_no_secret(program):
    ours, theirs = pty.openpty()
    with subprocess.Popen(
        [sys.executable, "-m", "relaykit", "credentials", "set", "dock"],
        stdin=theirs,
        stdout=subprocess.PIPE,
        stderr=theirs,
        env=program.environment({}),
        cwd=program.cwd,
        start_new_session=True,  # the prompt is not to reach the terminal of whoever runs this
    ) as process:
        os.close(theirs)
        shown = b""
        while b"Secret for dock: " not in shown:
            shown += read_soon(ours)
        os.write(ours, b"\x04")
        assert process.wait(SECONDS) == 2
    shown += read_soon(ours)
    os.close(ours)
    assert shown.decode().rstrip().endswith("relaykit: no secret was given for dock: type it and press Enter")
    assert "Traceback" not in shown.decode()


def read_soon(descriptor):
    assert select.select([descriptor], [], [], SECONDS)[0], "nothing was shown"
    return os.read(descriptor, 4096)


NO_SPACE = "standard output cannot be written: No space left on device; direct it elsewhere"


def test_a_full_standard_output_is_one_line(program):
    program("send", "user", "hello")
    with program.relay("--provider", "echo"):
        for line in ("--version", "--help", "send --help", "status", "status --json", "events --json", "inbox"):
            ended = with_streams(program, ">/dev/full", *line.split())
            assert (ended.code, ended.err) == (1, f"relaykit: {NO_SPACE}\n"), line
        following = with_streams(program, ">/dev/full", "events", "--follow", "--since", "0", "--json")
    assert (following.code, following.err) == (1, f"relaykit: {NO_SPACE}\n")


def test_an_error_keeps_its_line_and_code_where_its_document_cannot_be_written(program):
    ended = with_streams(program, ">/dev/full", "trace", "0000", "--json")
    assert (ended.code, ended.err) == (1, "relaykit: no message has the id '0000'\n")


@pytest.mark.parametrize(("words", "code"), [("--version", 0), ("--help", 0), ("status", 0), ("trace 0000 --json", 1)])
def test_a_reader_that_is_gone_is_no_error(program, words, code):
    reading, writing = os.pipe()
    os.close(reading)
    argv = [sys.executable, "-m", "relaykit", *words.split()]
    env = program.environment({})
    done = subprocess.run(
        argv, stdout=writing, stderr=subprocess.PIPE, env=env, cwd=program.cwd, timeout=SECONDS, check=False
    )
    os.close(writing)
    assert done.returncode == code
    assert done.stderr == (b"relaykit: no message has the id '0000'\n" if code else b"")


@pytest.mark.parametrize("words", [[], ["--json"], ["--wait"]])
def test_a_message_whose_id_cannot_be_told_is_named_in_the_error(program, words):
    with program.relay("--provider", "echo"):
        ended = with_streams(program, ">/dev/full", "send", "echo", "hello", "--id", "m-1", *words)
        assert (ended.code, len(ended.err.splitlines())) == (1, 1)
        assert ended.err.startswith(f"relaykit: {NO_SPACE}; the message is stored")
        assert "m-1" in ended.err
        assert program("trace", "m-1").code == 0
    assert [item["body"] for item in program("inbox", "--json").json["items"]] == ["echo: hello"]


def test_what_standard_error_takes_not_changes_no_exit_code(program):
    assert with_streams(program, "2>/dev/full", "trace", "0000").code == 1
    assert with_streams(program, "2>/dev/full", "send", "nobody", "hello").code == 4


def test_a_relay_goes_on_where_its_ready_line_cannot_be_written(program):
    script = 'exec "$@" >/dev/full'
    argv = ["sh", "-c", script, "sh", sys.executable, "-m", "relaykit", "run", "--provider", "echo", "--json"]
    env = program.environment({})
    with (
        program.following() as events,
        subprocess.Popen(argv, stderr=subprocess.PIPE, text=True, env=env, cwd=program.cwd) as relay,
    ):
        try:
            events.until("status")
            assert program("send", "echo", "hello", "--wait", "20").out == "echo: hello\n"
            relay.send_signal(signal.SIGTERM)
            assert relay.wait(SECONDS) == 0
        finally:
            relay.kill()
        assert relay.stderr.read() == f"relaykit: echo is ready, and goes on; {NO_SPACE}\n"
