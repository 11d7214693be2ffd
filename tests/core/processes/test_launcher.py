from __future__ import annotations

import os
import socket
import subprocess
import sys

import pytest

from relaykit.relay.children import launcher
from relaykit.relay.children.launching import Program


@pytest.fixture
def told(tmp_path):
    """What the launcher reads of a program that leaves a file."""
    argv = ["touch", str(tmp_path / "ran")]
    return Program(path="/bin/touch", argv=argv, cwd=tmp_path, env={"A": "b=c"}).told()


def launched(parent: int, said: bytes) -> int:
    ours, inner = socket.socketpair()
    with ours, inner:
        ours.sendall(said)
        ours.shutdown(socket.SHUT_WR)
        words = [sys.executable, "-I", "-S", launcher.__file__, str(parent), str(inner.fileno())]
        return subprocess.run(words, pass_fds=(inner.fileno(),), check=False, timeout=10).returncode


def test_the_launcher_becomes_what_it_was_told_as_a_child_of_the_relay(tmp_path, told):
    assert launched(os.getpid(), told) == 0
    assert [path.name for path in tmp_path.iterdir()] == ["ran"]


def test_the_launcher_starts_nothing_where_the_relay_is_not_its_parent(tmp_path, told):
    assert launched(os.getppid(), told) == 127
    assert list(tmp_path.iterdir()) == []


def test_the_launcher_starts_nothing_of_which_it_was_not_told_all(tmp_path, told):
    for said in range(len(told)):
        assert launched(os.getpid(), told[:said]) == 127, told[:said]
    assert list(tmp_path.iterdir()) == []
