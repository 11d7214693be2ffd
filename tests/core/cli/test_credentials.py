"""``relaykit credentials``, as a person and as a script use it."""

from __future__ import annotations

import os
import pty
import subprocess
import sys

import pytest

from relaykit.testing.program import SECONDS

SECRET = "sk_live_0123456789abcdef"


@pytest.fixture
def program(program):
    (program.cwd / "relaykit.toml").write_text('[credentials]\nuse = "file"\n')
    return program


@pytest.fixture
def dock(program):
    ended = program(
        *("credentials", "set", "dock", "--kind", "signaldock"),
        *("--field", "agentId=bob", "--field", "isActive=true", "--json"),
        stdin=f"{SECRET}\n",
    )
    assert (ended.code, ended.json, ended.err) == (0, {"name": "dock", "done": "stored"}, "")
    return program


@pytest.mark.parity("CR-9")
def test_a_secret_goes_in_on_standard_input_and_comes_out_only_when_it_is_asked_for(dock):
    assert SECRET not in dock("credentials", "list").out
    assert SECRET not in dock("credentials", "list", "--json").out
    shown = dock("credentials", "show", "dock", "--json")
    assert SECRET not in shown.out
    assert shown.json["fields"] == {"agentId": "bob", "isActive": True}
    assert shown.json["kind"] == "signaldock"
    assert "secret: ***" in dock("credentials", "show", "dock").out
    assert f"secret: {SECRET}" in dock("credentials", "show", "dock", "--reveal").out
    assert dock("credentials", "show", "dock", "--reveal", "--json").json["secret"] == SECRET


def test_setting_it_again_keeps_the_fields_that_are_not_named(dock):
    assert dock("credentials", "set", "dock", "--field", "agentId=eve", stdin="other").code == 0
    shown = dock("credentials", "show", "dock", "--reveal", "--json").json
    assert (shown["secret"], shown["kind"], shown["fields"]) == (
        "other",
        "signaldock",
        {"agentId": "eve", "isActive": True},
    )


def test_a_credential_is_rotated_and_keeps_the_rest(dock):
    assert dock("credentials", "rotate", "dock", stdin="newer").code == 0
    shown = dock("credentials", "show", "dock", "--reveal", "--json").json
    assert (shown["secret"], shown["fields"]["agentId"], shown["rotating"]) == ("newer", "bob", False)
    ended = dock("credentials", "rotate", "nobody", stdin="newer")
    assert ended.code == 2
    assert "relaykit credentials set nobody" in ended.err


def test_the_machine_key_is_rotated_without_a_name(dock):
    assert dock("credentials", "rotate", "--json").json == {"rotated": "machine key", "credentials": 1}
    assert dock("credentials", "show", "dock", "--reveal", "--json").json["secret"] == SECRET
    assert [path.name for path in (dock.home / "credentials").glob("machine-*")] == ["machine-2.key"]


def test_a_credential_is_removed(dock):
    assert dock("credentials", "remove", "dock").out == "dock: removed\n"
    assert dock("credentials", "list", "--json").json == {"credentials": []}
    assert dock("credentials", "remove", "dock").code == 2


@pytest.mark.parametrize(
    "words",
    [
        ("set", "dock", SECRET),
        ("rotate", "dock", SECRET),
        ("set", f"{SECRET}!"),
        ("set", "dock", "--field", f"={SECRET}"),
        ("set", "dock", "--field", f"apiKey={SECRET}"),
    ],
)
def test_a_secret_on_the_command_line_is_refused_and_not_repeated(program, words):
    ended = program("credentials", *words, "--json", stdin="x")
    assert ended.code == 2
    assert SECRET not in ended.out + ended.err


@pytest.mark.parametrize(
    ("stdin", "why"), [("", "empty"), ("\n", "empty"), (b"\xff\xfe", "UTF-8"), ("x" * 70_000, "longer than 64 KiB")]
)
def test_what_is_no_secret_is_refused(program, stdin, why):
    ended = program("credentials", "set", "dock", stdin=stdin)
    assert ended.code == 2
    assert why in ended.err
    assert not (program.home / "credentials" / "credentials.json").exists()


def test_in_a_terminal_it_is_asked_for_and_not_echoed(program):
    ours, theirs = pty.openpty()
    words = [sys.executable, "-m", "relaykit", "credentials", "set", "typed"]
    with subprocess.Popen(
        words,
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
        env=program.environment({}),
        cwd=program.cwd,
        start_new_session=True,
    ) as process:
        os.close(theirs)
        said = b""
        while b"Secret for typed:" not in said:
            said += os.read(ours, 4096)
        os.write(ours, f"{SECRET}\n".encode())
        try:
            while piece := os.read(ours, 4096):
                said += piece
        except OSError:  # the other side of the terminal is closed
            pass
        assert process.wait(SECONDS) == 0
    os.close(ours)
    assert SECRET.encode() not in said
    assert program("credentials", "show", "typed", "--reveal", "--json").json["secret"] == SECRET


def test_a_store_that_cannot_be_written_to_says_which_can(program):
    (program.cwd / "relaykit.toml").unlink()
    ended = program("credentials", "set", "dock", stdin=SECRET)
    assert ended.code == 2
    assert "cannot be written to" in ended.err
    assert 'use = "file"' in ended.err
    env = {"RELAYKIT_CREDENTIAL_DOCK": SECRET}
    assert program("credentials", "list", "--json", env=env).json["credentials"][0]["name"] == "dock"
    assert SECRET not in program("credentials", "show", "dock", env=env).out


@pytest.mark.parity("CR-9")
def test_the_doctor_looks_at_the_modes(dock):
    def found():
        checks = dock("doctor", "--json").json["checks"]
        return next(check for check in checks if check["check"] == "credentials")

    assert (found()["level"], "1 can be read" in found()["text"]) == ("ok", True)
    (dock.home / "credentials" / "machine-1.key").chmod(0o644)
    assert found()["level"] == "fail"
    assert "chmod 600" in found()["text"]
    assert dock("credentials", "show", "dock", "--reveal").code == 2


@pytest.mark.parity("CR-9")
def test_a_secret_is_in_no_file_of_the_home_and_in_no_output_of_a_relay_that_uses_the_store(dock):
    with dock.relay("--provider", "echo", "--agent", "a"):
        dock.ended(dock.send("a", "hello"))
        shown = dock("status").out + dock("events", "--json").out + dock("config", "show").out
    assert SECRET not in shown
    files = [path for path in dock.home.rglob("*") if path.is_file()]
    assert len(files) > 3
    assert not [path for path in files if SECRET.encode() in path.read_bytes()]
