"""Nothing beyond this machine is needed, or asked."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

WATCHER = """\
import json, os, sys
def watch(event, arguments):
    if event.startswith("socket.") and event != "socket.__new__":
        what = [event, str(arguments[1:])]
    elif event == "socket.__new__":
        what = [event, int(arguments[1])]
    else:
        return
    file = os.open(os.environ["SOCKETS_LOG"], os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
    os.write(file, json.dumps([os.getpid(), *what]).encode() + b"\\n")
    os.close(file)
sys.addaudithook(watch)
"""
UNIX = 1
NEVER = {"socket.connect", "socket.getaddrinfo", "socket.gethostbyname", "socket.gethostname"}


@pytest.mark.parity("N-8")
def test_no_process_of_the_demo_makes_a_socket_that_leaves_this_machine(site, tmp_path):
    (tmp_path / "watch").mkdir()
    (tmp_path / "watch" / "sitecustomize.py").write_text(WATCHER)
    log = tmp_path / "sockets"
    path = os.pathsep.join([str(tmp_path / "watch"), site.program.environment({})["PYTHONPATH"]])
    ended = site.program("demo", env={"PYTHONPATH": path, "SOCKETS_LOG": str(log)})
    assert (ended.code, ended.err) == (0, "")
    assert "asker answers: echo: Hello, is anybody there?" in ended.out
    events = [json.loads(line) for line in log.read_text().splitlines()]
    made = [family for _, event, family in events if event == "socket.__new__"]
    assert made, "the processes were watched"
    assert set(made) == {UNIX}
    assert NEVER.isdisjoint(event for _, event, _ in events)
    assert len({pid for pid, _, _ in events}) > 2, "the relay and the commands, too"


def test_the_demo_runs_without_any_network_interface(site):
    words = [shutil.which("unshare") or "unshare", "--user", "--map-root-user", "--net"]
    if not shutil.which("unshare") or subprocess.run([*words, "true"], capture_output=True, check=False).returncode:
        pytest.skip("this machine lets nobody make a network namespace")
    environment = site.program.environment({})
    ended = subprocess.run(
        [*words, sys.executable, "-m", "relaykit", "demo"],
        env=environment,
        cwd=site.cwd,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert (ended.returncode, ended.stderr) == (0, "")
    assert "asker answers: echo: Hello, is anybody there?" in ended.stdout


@pytest.mark.parity("N-8")
def test_a_relay_is_one_process_and_its_home_a_few_files(site, echo):
    with site.run(worker=echo) as relay:
        assert site.program("send", "worker", "hello", "--wait", "20").code == 0
        assert Path(f"/proc/{relay.pid}/task/{relay.pid}/children").read_text(encoding="ascii") == ""
    files = {path.name for path in site.program.home.iterdir() if path.is_file()}
    assert {"mailbox.db", "sessions.db"} <= files
    assert {name.partition(".")[0] for name in files} == {"mailbox", "sessions"}
