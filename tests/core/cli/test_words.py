"""Words that no command can use: bytes that are no text, numbers that no store takes, names that are empty."""

from __future__ import annotations

import os
import signal

import pytest

from relaykit.testing.program import SECONDS

NO_TEXT = os.fsdecode(b"\xff")
LARGE = "9" * 23


@pytest.mark.parametrize(
    ("words", "parameter"),
    [
        *((f"{command} {NO_TEXT}", "ID") for command in ("trace", "approve", "deny", "cancel", "requeue")),
        *((f"{command} {NO_TEXT}", "AGENT") for command in ("events", "sessions")),
        *((f"{command} a {NO_TEXT}", "TEXT") for command in ("steer", "inject")),
        (f"inbox {NO_TEXT}", "NAME"),
        (f"model a {NO_TEXT}", "MODEL"),
        (f"permission-mode a {NO_TEXT}", "MODE"),
        (f"send user hi --thread {NO_TEXT}", "--thread"),
        (f"run --provider echo --tag {NO_TEXT}", "--tag"),
        (f"run --provider echo --cwd {NO_TEXT}", "--cwd"),
    ],
)
def test_bytes_that_are_no_text_are_refused_by_the_name_of_their_parameter(program, words, parameter):
    ended = program(*words.split(" "))
    assert (ended.code, ended.out) == (2, "")
    assert ended.err.startswith(f"relaykit: argument {parameter}: '\\udcff' is not UTF-8 text; see ")


@pytest.mark.parametrize("words", ["dock keys reset", "dock agents add", "dock agents add x --cap"])
def test_so_they_are_by_the_dock(program, words):
    ended = program(*words.split(), NO_TEXT)
    assert (ended.code, "is not UTF-8 text" in ended.err, len(ended.err.splitlines())) == (2, True, 1)


def test_a_path_may_be_any_bytes(program):
    folder = program.cwd / NO_TEXT
    folder.mkdir()
    (folder / "notes.txt").write_text("notes", encoding="utf-8")
    (folder / "relaykit.toml").write_text('[agents.a]\nprovider = "echo"\n', encoding="utf-8")
    assert program("send", "user", "hi", "--attach", f"{NO_TEXT}/notes.txt").code == 0
    assert program("config", "check", "--config", f"{NO_TEXT}/relaykit.toml").code == 0


@pytest.mark.parametrize("option", ["--since", "--last"])
def test_a_number_that_no_store_takes_is_refused(program, option):
    ended = program("events", option, LARGE)
    assert (ended.code, ended.out) == (2, "")
    assert f"argument {option}: {LARGE} is more than 9223372036854775807" in ended.err
    assert program("events", option, "9223372036854775807").code == 0


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["run", "--provider", "echo", "--agent", ""], "--agent: '' is no name"),
        (["run", "--provider", ""], "--provider: '' is no name"),
        (["run", "--provider", "echo", "--cwd", ""], "agents.echo.cwd"),
        (["send", "user", "hi", "--thread", ""], "--thread: '' is no thread"),
        (["inbox", ""], "NAME: '' is nobody's"),
        (["send", "user", "hi", "--", "--json"], "unrecognized arguments: --json; options stand before `--`"),
        (["send", "user", "hi", "--attach", "/dev/zero"], "--attach /dev/zero: this is no regular file"),
    ],
)
def test_words_that_mean_nothing_are_refused(program, words, said):
    ended = program(*words)
    assert (ended.code, ended.out) == (2, "")
    assert said in ended.err
    assert len(ended.err.splitlines()) == 1


def test_the_version_is_no_document(program):
    ended = program("--version", "--json")
    assert (ended.code, ended.err) == (2, "relaykit: --version stands alone; leave out --json\n")


def test_an_id_that_is_too_short_or_not_plain_is_told_as_that(program):
    for number in range(5):
        program("send", "user", "hi", "--id", f"same-{number}")
    short = program("trace", "sam").err
    assert short == "relaykit: no message has the id 'sam'; of one that is cut short, 4 characters are needed\n"
    several = "relaykit: several ids of a message begin with 'same': same-0, same-1, same-2, …\n"
    assert program("trace", "same").err == several
    assert program("approve", "0000").err == "relaykit: no permission request has the id '0000'\n"


def test_a_demo_that_is_ended_leaves_nothing_behind(program, tmp_path):
    (tmp_path / "tmp").mkdir()
    with program.start("demo", env={"TMPDIR": str(tmp_path / "tmp")}) as process:
        assert process.stdout.readline() == "\n"
        assert "A relay with two agents starts" in process.stdout.readline()
        process.send_signal(signal.SIGTERM)
        process.wait(SECONDS)
    assert process.returncode == 128 + signal.SIGTERM
    assert list((tmp_path / "tmp").iterdir()) == []
