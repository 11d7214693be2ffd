from __future__ import annotations

import os
import socket
import subprocess
import sys

import pytest

from relaykit.relay.children import launcher


@pytest.mark.parametrize(
    ("parent", "word"),
    [(os.getppid(), b"g"), (os.getpid(), b"")],
    ids=["the relay is not its parent", "the relay could not write it down"],
)
def test_the_launcher_starts_nothing_when(tmp_path, parent, word):
    ours, inner = socket.socketpair()
    with ours, inner:
        ours.send(word) if word else ours.shutdown(socket.SHUT_WR)
        words = [str(parent), str(inner.fileno()), "/bin/touch", "touch", str(tmp_path / "ran")]
        done = subprocess.run(
            [sys.executable, "-I", "-S", launcher.__file__, *words], pass_fds=(inner.fileno(),), check=False, timeout=10
        )
    assert done.returncode == 127
    assert list(tmp_path.iterdir()) == []
