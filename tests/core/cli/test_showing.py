"""The relay of the demo, whenever it is told to end."""

from __future__ import annotations

import signal
import subprocess

import pytest

from relaykit.cli import showing
from relaykit.cli.showing import Stage

SECONDS = 20


def leave(number, _):
    raise SystemExit(128 + number)


def test_who_is_ended_in_the_moment_in_which_the_relay_is_started_leaves_none_behind(tmp_path, monkeypatch):
    started, real = [], subprocess.Popen

    def told_meanwhile(*words, **how):
        started.append(real(*words, **how))
        signal.raise_signal(signal.SIGTERM)
        return started[0]

    monkeypatch.setattr(Stage, "command", lambda *_: ["sleep", str(SECONDS)])
    monkeypatch.setattr(showing.subprocess, "Popen", told_meanwhile)
    before = signal.signal(signal.SIGTERM, leave)
    try:
        with pytest.raises(SystemExit, match="143"), Stage(tmp_path).relay(agents=1):
            pytest.fail("it was told to end before")
        assert signal.getsignal(signal.SIGTERM) is leave
        assert started[0].wait(SECONDS) == -signal.SIGTERM
    finally:
        signal.signal(signal.SIGTERM, before)
        for process in started:
            process.kill()
