"""``relaykit service install``: units that systemd takes, and that run what they say."""

from __future__ import annotations

import shlex
import shutil
import signal
import stat
import subprocess
import sys
from pathlib import Path

import pytest

TWO = """
[relay]
drain_seconds = 3
[agents.one]
provider = "echo"
[agents.two]
provider = "exec"
[agents.two.options]
command = ["sh", "-c", "cat; exec sleep 600"]
"""
needs_systemd = pytest.mark.skipif(
    shutil.which("systemd-analyze") is None, reason="there is no systemd-analyze (package systemd)"
)


@pytest.fixture
def unit(program):
    """Returns what a unit says, by key; the last value of a key holds."""
    (program.cwd / "relaykit.toml").write_text(TWO, encoding="utf-8")

    def unit_(*words):
        ended = program("service", "install", "--print", *words)
        assert ended.code == 0, ended.err
        return dict(line.split("=", 1) for line in ended.out.splitlines() if "=" in line)

    return unit_


@needs_systemd
@pytest.mark.parity("CO-6")
@pytest.mark.parametrize(
    "words",
    [
        (),
        ("--dock",),
        ("--system", "--run-as", "daemon"),
        ("--dock", "--system", "--run-as", "daemon", "--home", "/srv/a dock", "--", "--name", "a$b%c\"d\\e'f"),
    ],
    ids=["relay", "dock", "relay of the system", "dock of the system"],
)
def test_systemd_finds_nothing_wrong_with_a_unit(program, unit, tmp_path, words):
    unit()  # the configuration
    ended = program("service", "install", "--print", *words)
    assert (ended.code, ended.err) == (0, "")
    scope = [] if "--system" in words else ["--user"]
    assert verified(ended.out, tmp_path, *scope) == (0, [])
    if not words:  # it does look
        _, complaints = verified(ended.out.replace("Restart=", "Restrat="), tmp_path, *scope)
        assert "Restrat" in complaints[0]


def verified(text, directory, *scope):
    path = directory / "relaykit-tried.service"
    path.write_text(text, encoding="utf-8")
    env = {"XDG_RUNTIME_DIR": str(directory), "PATH": "/usr/bin:/bin"}
    argv = ["systemd-analyze", *scope, "verify", path]
    looked = subprocess.run(argv, capture_output=True, text=True, timeout=30, env=env, check=False)
    return looked.returncode, [line for line in looked.stderr.splitlines() if path.name in line]


@pytest.mark.parity("CO-6")
def test_what_a_unit_starts_runs_the_agents_and_ends_them_all_in_good_order(program, unit):
    said = unit()
    assert said["KillMode"] == "mixed"  # agents are the relay's to end
    assert (said["Type"], said["Restart"], said["TimeoutStopSec"]) == ("exec", "on-failure", "53")
    words = shlex.split(said["ExecStart"])
    assert Path(words[0]).parent == Path(sys.executable).parent
    with program.start(*words[1:]) as relay:
        assert {relay.stdout.readline().split()[1] for _ in range(2)} == {"one", "two"}
        sent = program("send", "two", "hello")
        relay.send_signal(signal.SIGTERM)
        assert relay.wait(30) == 0
    assert {one["status"]["kind"] for one in program("status", "--json").json["agents"]} == {"offline"}
    (delivery,) = program("trace", sent.out.strip(), "--json").json["deliveries"]
    assert delivery["state"] in {"queued", "unknown", "seen"}  # interrupted; it was no answer
    sleeping = subprocess.run(["ps", "-eo", "ppid,args"], capture_output=True, text=True, check=True).stdout
    assert [line for line in sleeping.splitlines() if line.split()[0] == str(relay.pid)] == []


def test_agents_that_outlive_the_relay_are_left_alone(program, unit):
    (program.cwd / "relaykit.toml").write_text(
        '[agents.one]\nprovider = "codex"\n[agents.one.options]\ndetached = true\n', encoding="utf-8"
    )
    ended = program("service", "install", "--print")
    assert "KillMode=process" in ended.out, ended.err


def test_every_unit_takes_rights_away_and_a_dock_most(unit):
    relay, dock = unit("--system", "--run-as", "daemon"), unit("--dock", "--system", "--run-as", "daemon")
    assert (relay["NoNewPrivileges"], dock["NoNewPrivileges"]) == ("yes", "yes")
    assert "RestrictNamespaces" not in relay  # an agent's own sandbox makes some
    assert {"RestrictNamespaces", "SystemCallFilter", "ProtectProc"} <= set(dock)
    assert dock["ProtectSystem"] == "strict"
    assert dock["ReadWritePaths"].endswith("/home")


def test_a_unit_of_the_system_has_the_home_that_systemd_makes_where_none_was_said(program, unit):
    (program.cwd / "relaykit.toml").write_text(TWO, encoding="utf-8")
    said = program("service", "install", "--print", "--system", "--run-as", "daemon", env={"RELAYKIT_HOME": ""}).out
    assert "StateDirectory=relaykit\nStateDirectoryMode=0700\nEnvironment=RELAYKIT_HOME=/var/lib/relaykit\n" in said


def test_a_unit_is_written_once_and_over_it_only_by_force(program, unit, tmp_path):
    unit()
    first = program("service", "install", "--json").json
    path = tmp_path / "config" / "systemd" / "user" / "relaykit.service"
    assert (first["file"], path.read_text()) == (str(path), first["unit"])
    assert stat.S_IMODE(path.stat().st_mode) == 0o644
    assert first["start"].endswith("systemctl --user enable --now relaykit")
    path.write_text("mine", encoding="utf-8")
    again = program("service", "install")
    assert (again.code, path.read_text()) == (2, "mine")
    assert "--force" in again.err
    assert program("service", "install", "--force").code == 0
    assert path.read_text() == first["unit"]
    assert [one.name for one in path.parent.iterdir()] == [path.name]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--name", "../other"], "no name of a unit"),
        (["--run-as", "daemon"], "--system"),
        (["--system", "--run-as", "nobody-of-that-name"], "no user"),
        (["--dock", "--config", "x.toml"], "--config is a relay's"),
        (["--config", "x.toml"], "there is no such file"),
        (["--dock", "--", "a\nb"], "cannot stand in a unit"),
    ],
)
def test_what_cannot_be_a_unit_is_refused_and_nothing_is_written(program, tmp_path, words, said):
    ended = program("service", "install", *words)
    assert (ended.code, ended.out) == (2, "")
    assert said in ended.err
    assert not (tmp_path / "config").exists()


def test_a_relay_without_agents_gets_no_unit_unless_one_is_named(program):
    assert "no agent to run" in program("service", "install", "--print").err
    said = program("service", "install", "--print", "--", "--provider", "echo").out
    assert "run --headless --provider echo\n" in said


def test_a_path_of_the_configuration_begins_where_the_unit_will_run(program, tmp_path):
    place = tmp_path / "elsewhere"
    (place / "logs").mkdir(parents=True)
    said = '[agents.a]\nprovider = "echo"\n[sinks.file]\nuse = "jsonl"\npath = "logs/events.jsonl"\n'
    (place / "relaykit.toml").write_text(said, encoding="utf-8")
    assert program("service", "install", "--print", "--config", str(place / "relaykit.toml")).code == 0
