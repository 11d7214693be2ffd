"""A directory that is deleted under whoever is in it."""

from __future__ import annotations

import subprocess
import sys

import pytest

from relaykit.testing.program import SECONDS, Ended


def nowhere(program, *words):
    """Run a command in a directory that is deleted under it."""
    script = 'mkdir gone && cd gone && rmdir ../gone && exec "$@"'
    argv = ["sh", "-c", script, "sh", sys.executable, "-m", "relaykit", *words]
    env = program.environment({})
    done = subprocess.run(argv, capture_output=True, text=True, cwd=program.cwd, env=env, timeout=SECONDS, check=False)
    return Ended(done.returncode, done.stdout, done.stderr)


@pytest.mark.parametrize("words", ["send user hi", "inbox", "status", "config check", "config show", "doctor"])
def test_a_command_does_its_work_in_a_directory_that_is_gone(program, words):
    ended = nowhere(program, *words.split())
    assert (ended.code, ended.err) == (0, "")


@pytest.mark.parametrize(
    ("words", "remedy"),
    [
        ("run --provider echo", "go to another one"),
        ("run --provider echo --cwd /", "go to another one"),
        ("config check --config relaykit.toml", "go to another one"),
        ("status --home here", "name one from / on"),
        ("service install --print -- --provider echo", "go to another one"),
    ],
)
def test_where_it_needs_the_directory_it_says_that_it_is_gone(program, words, remedy):
    ended = nowhere(program, *words.split())
    assert (ended.code, ended.out) == (2, "")
    assert "the directory that you are in is gone; " in ended.err
    assert remedy in ended.err
