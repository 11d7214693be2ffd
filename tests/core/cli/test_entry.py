"""Help, version, unknown words, and what is not imported."""

from __future__ import annotations

import os
import pty
import re
import subprocess
import sys

import pytest

from relaykit import __version__
from relaykit.cli.table import BUILT_IN
from relaykit.mailbox import letters
from relaykit.model import Draft

LIGHT = "import sys; from relaykit.cli.entry import main; code = main({words!r}); print(*sys.modules, file=sys.stderr)"
HEAVY = {"typer", "click", "rich", "pydantic", "anyio", "asyncio", "jsonschema", "httpx", "unittest"}


def modules_after(program, *words):
    code = LIGHT.format(words=list(words))
    done = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        env=program.environment({}),
        timeout=30,
        check=True,
    )
    return set(done.stderr.split())


@pytest.mark.parity("CO-5")
def test_version_is_printed_by_either_spelling(program):
    for flag in ("--version", "-V"):
        ended = program(flag)
        assert (ended.code, ended.out, ended.err) == (0, f"relaykit {__version__}\n", "")


@pytest.mark.parity("CO-5")
def test_help_names_every_command_in_its_group(program):
    ended = program("--help")
    assert ended.code == 0
    for entry in BUILT_IN:
        assert re.search(rf"^  {entry.words} +{re.escape(entry.summary)}$", ended.out, re.MULTILINE)
    assert ended.out.index("\nwork\n") < ended.out.index("\nlook\n") < ended.out.index("\nset up\n")
    assert program("help").out == ended.out


def test_no_words_are_wrong_usage_and_show_the_help(program):
    ended = program()
    assert (ended.code, ended.out) == (2, "")
    assert "Usage: relaykit COMMAND" in ended.err


@pytest.mark.parametrize("entry", BUILT_IN, ids=lambda entry: entry.words)
def test_every_command_has_help_with_examples(program, entry):
    ended = program(*entry.words.split(), "--help")
    assert (ended.code, ended.err) == (0, "")
    assert f"usage: relaykit {entry.words}" in ended.out
    assert f"relaykit {entry.words}" in ended.out.partition("\nExamples:\n")[2]
    assert program("help", *entry.words.split()).out == ended.out


@pytest.mark.parametrize("entry", BUILT_IN, ids=lambda entry: entry.words)
def test_every_command_refuses_an_unknown_option_with_a_near_miss(program, entry):
    ended = program(*entry.words.split(), "--hepl")
    assert (ended.code, ended.out) == (2, "")
    assert len(ended.err.splitlines()) == 1
    assert ended.err.startswith("relaykit: ")


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["sned", "x"], "did you mean 'send'?"),
        (["config", "chek"], "did you mean 'check'?"),
        (["--hoem", "x"], "did you mean '--home'?"),
        (["send", "user", "x", "--priorty", "now"], "did you mean '--priority'?"),
        (["send", "user", "x", "--priority", "nwo"], "did you mean 'now'?"),
        (["trace"], "required: ID"),
        (["status", "--home"], "--home needs a directory"),
        (["run", "stray"], "unrecognized arguments: stray; see `relaykit run"),
        (["send", "user", "hello", "there"], "unrecognized arguments: there; quote a text of several words; see"),
        (["send", "user", "hello", "--wait", "10s"], "--wait takes a number of seconds, not '10s'; see"),
        (["send", "user", "--wait", "1.5min", "hello"], "--wait takes a number of seconds, not '1.5min'; see"),
        (["send", "", "hello"], "'' is not an address"),
        (["run", "--provider", "echo", "--model", "m"], "--model: the provider 'echo' has no model; leave it out"),
        (["run", "--provider", "echo", "--effort", "high"], "--effort: the provider 'echo' has no effort"),
        (["run", "--provider", "echo", "--option", "model=m"], "--option: agents.echo.options.model: unknown key"),
        (["run", "--config", "/"], "/: this is a directory; name the file, as /relaykit.toml"),
        (["send", "user", "hello", "--attach", "/"], "--attach /: this is a directory; name a file"),
        (["new"], "relaykit new COMMAND"),
    ],
)
def test_wrong_words_end_with_2_and_one_clear_line(program, words, said):
    ended = program(*words)
    assert ended.code == 2
    assert said in ended.err
    assert len(ended.err.splitlines()) == 1 or words == ["new"]


def test_a_missing_option_of_an_agent_that_no_file_names_is_no_fault_of_the_file(program):
    (program.cwd / "relaykit.toml").write_text('[agents.other]\nprovider = "echo"\n', encoding="utf-8")
    ended = program("run", "--provider", "exec", "--agent", "q")
    assert (ended.code, ended.err) == (2, "relaykit: --provider: agents.q.options: 'command' is missing\n")


def test_an_error_is_one_json_document_too_where_json_was_asked_for(program):
    ended = program("trace", "0000", "--json")
    assert ended.code == 1
    assert ended.json == {"error": "no message has the id '0000'", "exit_code": 1}
    assert ended.err == "relaykit: no message has the id '0000'\n"


def test_debug_shows_the_traceback_of_an_error_that_is_otherwise_one_line(program):
    assert "Traceback" not in program("trace", "0000").err
    for words in (["--debug", "trace", "0000"], ["trace", "0000", "--debug"]):
        assert "Traceback" in program(*words).err


def test_home_may_stand_before_or_behind_the_command_and_wins_over_the_environment(program, tmp_path):
    other = tmp_path / "other"
    sent = program("--home", str(other), "send", "user", "hello").out.strip()
    assert program("trace", sent, f"--home={other}").code == 0
    assert program("trace", sent).code == 1
    assert (other.stat().st_mode & 0o777) == 0o700


def test_version_imports_next_to_nothing(program):
    modules = modules_after(program, "--version")
    ours = {name for name in modules if name.startswith("relaykit")}
    assert ours == {"relaykit", "relaykit.cli", "relaykit.cli.entry"}
    assert not modules & {"dataclasses", "argparse", "json"}


@pytest.mark.parametrize("words", [["--help"], ["send", "user", "hello"], ["trace", "--help"], ["inbox"]])
def test_what_a_quick_command_needs_not_is_not_imported(program, words):
    modules = modules_after(program, *words)
    assert not modules & HEAVY
    assert "relaykit.cli.doctor" not in modules
    if words != ["--help"]:
        assert "importlib.metadata" not in modules


def test_a_reader_that_goes_away_is_no_error_message(program, door):
    for number in range(50):
        door.run(letters.put, Draft(sender="user", to="user", body="x" * 5000, id=f"m-{number}"))
    with program.start("inbox") as process:
        process.stdout.close()
        assert process.wait(30) == 0
        assert process.stderr.read() == ""
    assert len(program("inbox", "--keep", "--json").json["items"]) == 50


def test_text_has_no_colour_codes_where_it_is_piped(program):
    program("send", "user", "hello")
    assert "\x1b" not in program("inbox", "--keep").out
    assert "\x1b" not in program("doctor").out


@pytest.mark.parametrize(("no_color", "coloured"), [("", True), ("1", False)])
def test_a_terminal_gets_colours_unless_no_color_is_set(program, no_color, coloured):
    program("send", "user", "hello")
    shown = on_terminal(program, {"NO_COLOR": no_color, "TERM": "xterm"}, "inbox", "--keep")
    assert "hello" in shown
    assert ("\x1b[1m" in shown) is coloured


def test_text_of_others_gives_a_terminal_no_orders(program):
    program("send", "user", "\x1b]0;owned\x07 and \x1b[2J")
    shown = on_terminal(program, {"NO_COLOR": "1", "TERM": "xterm"}, "inbox", "--keep")
    assert "\x1b" not in shown
    assert "\\x1b]0;owned\\x07" in shown


@pytest.mark.parametrize("columns", ["80", "500"])
def test_a_table_fits_its_terminal_and_is_whole_in_a_pipe(program, workers, columns):
    worker = workers.enlist("reviewer", tags=[f"a-long-tag-{number}" for number in range(4)])
    whole = program("agents", env={"COLUMNS": "40"}).out
    assert " ".join(f"tag:a-long-tag-{number}" for number in range(4)) in whole
    shown = on_terminal(program, {"NO_COLOR": "1", "COLUMNS": columns}, "agents")
    first, row = shown.splitlines()
    assert max(len(first), len(row)) <= int(columns)
    assert row.startswith(worker.agent)
    end = row.split()[-1]
    assert str(program.home).endswith(end.removeprefix("…")), "of a directory the end tells most"
    assert end.startswith("…") is (columns == "80")
    assert (row.count("tag:a-long-tag-") < 4) is (columns == "80")


def on_terminal(program, env, *words):
    """Run a command whose standard output is a terminal; return what it shows."""
    ours, theirs = pty.openpty()
    done = subprocess.Popen(
        [sys.executable, "-m", "relaykit", *words],
        stdin=subprocess.DEVNULL,
        stdout=theirs,
        env=program.environment(env),
        cwd=program.cwd,
    )
    os.close(theirs)
    shown = b""
    while True:
        try:
            piece = os.read(ours, 4096)
        except OSError:  # the terminal's other end is closed
            break
        if not piece:
            break
        shown += piece
    os.close(ours)
    assert done.wait(30) == 0
    return shown.decode()


@pytest.mark.parametrize("words", [["--help"], ["nothing"], ["run", "--provider", "nothing"], ["agents"]])
def test_whatever_a_command_came_to_the_collector_is_on_again(program, words):
    code = f"import gc; from relaykit.cli.entry import main; main({words!r}); raise SystemExit(gc.isenabled())"
    argv, env = [sys.executable, "-c", code], program.environment({})
    assert subprocess.run(argv, capture_output=True, env=env, timeout=30, check=False).returncode == 1


def test_what_one_copies_from_a_table_is_never_cut(program):
    with program.relay("--provider", "echo", "--agent", "main"):
        pass
    (session,) = program("sessions", "--json").json["sessions"]
    assert session["id"] in on_terminal(program, {"NO_COLOR": "1", "COLUMNS": "60"}, "sessions")
