"""Homes that cannot be used, and what is said of them."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from relaykit.errors import StoreError
from relaykit.relay.directories import refuse_shared
from relaykit.testing.program import SECONDS, Ended

AS_USER = """
import ctypes, os, sys
for right in (1, 2):  # CAP_DAC_OVERRIDE, CAP_DAC_READ_SEARCH: without them root may no more than others
    ctypes.CDLL(None).prctl(24, right)
os.execv(sys.executable, [sys.executable, "-m", "relaykit", *sys.argv[1:]])
"""
CHECKS = ["python", "home", "file system", "disk", "doorbell", "mailbox", "sessions"]


def as_user(program, *words):
    """Run a command that no mode is opened for, whoever runs the tests."""
    done = subprocess.run(
        [sys.executable, "-c", AS_USER, *words],
        capture_output=True,
        text=True,
        timeout=SECONDS,
        env=program.environment({}),
        cwd=program.cwd,
        check=False,
    )
    return Ended(done.returncode, done.stdout, done.stderr)


def checks(ended):
    return {check["check"]: check for check in ended.json["checks"]}


def test_the_doctor_looks_at_all_the_rest_where_the_home_may_not_be_read(program):
    program("send", "user", "hello")
    program.home.chmod(0)
    ended = as_user(program, "doctor", "--json")
    program.home.chmod(0o700)
    found = checks(ended)
    assert ended.code == 1
    assert list(found)[: len(CHECKS)] == CHECKS
    assert {"plugins", "config", "provider"} <= set(found)
    assert found["home"]["remedy"] == "choose another: --home DIR"
    assert found["mailbox"]["text"] == f"{program.home / 'mailbox.db'}: Permission denied"
    assert [name for name in found if found[name]["level"] == "fail"] == ["home", "mailbox", "sessions", "credentials"]


def test_the_doctor_does_not_stop_at_a_home_that_no_path_leads_to(program, tmp_path):
    home = tmp_path / ("x" * 300)
    ended = program("doctor", "--json", "--home", str(home))
    assert ended.code == 1
    assert set(CHECKS) <= set(checks(ended))


def test_the_doctor_says_that_a_home_cannot_be_made(program, tmp_path):
    (tmp_path / "closed").mkdir(mode=0o500)
    home = tmp_path / "closed" / "deep" / "home"
    ended = as_user(program, "doctor", "--json", "--home", str(home))
    found = checks(ended)["home"]
    assert (ended.code, found["level"], found["remedy"]) == (1, "fail", "choose another: --home DIR")
    assert f"{tmp_path / 'closed'} is no directory that you may write to" in found["text"]
    assert checks(program("doctor", "--json", "--home", str(tmp_path / "open" / "home")))["home"]["level"] == "ok"


@pytest.mark.parametrize("home", ["file", "file/home"])
def test_a_home_that_cannot_be_made_is_one_line_with_a_remedy(program, tmp_path, home):
    (tmp_path / "file").touch()
    ended = program("run", "--provider", "echo", "--home", str(tmp_path / home))
    assert (ended.code, ended.out) == (1, "")
    (line,) = ended.err.splitlines()
    assert str(tmp_path / "file") in line
    assert "cannot be made" in line
    assert "choose another home: --home or RELAYKIT_HOME" in line
    found = checks(program("doctor", "--json", "--home", str(tmp_path / home)))["home"]
    assert found["level"] == "fail"


def test_a_new_provider_names_the_directory_that_cannot_be_written_to(program, tmp_path):
    (tmp_path / "file").touch()
    ended = program("new", "provider", "sparrow", "--directory", str(tmp_path / "file" / "sparrow"))
    assert (ended.code, ended.out) == (2, "")
    place = tmp_path / "file" / "sparrow"
    assert ended.err == f"relaykit: {place}: it cannot be written (Not a directory); choose another directory\n"


@pytest.mark.parametrize("mode", [0o777, 0o770, 0o702])
def test_a_home_that_others_may_write_to_is_refused_with_the_remedy(program, mode):
    program("send", "user", "hello")
    program.home.chmod(mode)
    said = f"{program.home}: others may write to this home (mode {mode:03o}); chmod 700 {program.home}"
    ended = program("run", "--provider", "echo")
    assert (ended.code, ended.out, ended.err) == (1, "", f"relaykit: {said}\n")
    found = checks(program("doctor", "--json"))["home"]
    assert (found["level"], found["text"]) == ("fail", said)
    program.home.chmod(0o755)
    with program.relay("--provider", "echo"):
        assert program("send", "echo", "hello", "--wait", "20").out == "echo: hello\n"


def test_a_home_of_someone_else_is_refused(tmp_path):
    refuse_shared(tmp_path)
    foreign = Path("/")
    if os.geteuid() == 0:
        foreign = tmp_path / "home"
        foreign.mkdir()
        os.chown(foreign, 65534, -1)
    with pytest.raises(StoreError, match=f"belongs to user {foreign.stat().st_uid}; .*--home DIR"):
        refuse_shared(foreign)
