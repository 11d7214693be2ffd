"""``plugins``, ``config``, ``new provider``, ``doctor``, and the commands of plugins."""

from __future__ import annotations

import json
import signal
import tomllib

import pytest


def test_a_plugins_command_is_in_the_help_and_gets_its_words(with_plugin):
    program = with_plugin("parrot_plugin")
    added = program("--help").out.partition("from plugins\n")[2].partition("\n\n")[0]
    assert "  greet          Greets." in added.splitlines()
    ended = program("greet", "--loud", "you")
    assert (ended.code, ended.out) == (4, "greetings --loud you\n")
    assert "did you mean 'greet'?" in program("gret").err


def test_a_broken_plugin_spoils_neither_the_help_nor_the_list(with_plugin):
    program = with_plugin("broken_plugin", hooks="raise RuntimeError('out of order')")
    assert program("--help").code == 0
    found = {plugin["name"]: plugin for plugin in program("plugins", "--json").json["plugins"]}
    assert found["broken_plugin"]["state"] == "failed"
    assert "out of order" in found["broken_plugin"]["error"]
    assert "broken_plugin 1.0" in found["broken_plugin"]["error"]
    remark = next(check for check in program("doctor", "--json").json["checks"] if check["level"] == "warn")
    assert "out of order" in remark["text"]


def test_the_list_of_plugins_says_what_each_offers(with_plugin):
    program = with_plugin("parrot_plugin")
    ended = program("plugins")
    assert ended.code == 0
    assert "parrot_plugin  parrot_plugin 1.0  loaded\n    command greet: Greets.\n" in ended.out
    left_out = program("plugins", "--json", env={"RELAYKIT_PLUGINS": ""}).json["plugins"]
    assert {plugin["name"]: plugin["state"] for plugin in left_out}["parrot_plugin"] == "disabled"
    assert "relaykit_cli_commands" in program("plugins", env={"RELAYKIT_TRACE_PLUGINS": "1"}).err


@pytest.mark.parity("AR-3", "CO-5")
def test_a_configuration_is_begun_checked_and_shown(program):
    assert program("config", "init").code == 0
    path = program.cwd / "relaykit.toml"
    assert tomllib.loads(path.read_text(encoding="utf-8"))["agents"]["echo"]["provider"] == "echo"
    assert program("config", "check", "--json").json == {"ok": True, "file": str(path), "problems": []}
    assert 'provider = "echo"' in program("config", "show").out
    paths = [tuple(setting["path"]) for setting in program("config", "show", "--json").json["settings"]]
    assert ("agents", "echo", "provider") in paths
    again = program("config", "init")
    assert again.code == 2
    assert "--force" in again.err


def test_a_sink_that_cannot_be_opened_is_a_problem_with_file_and_table(program):
    path = program.cwd / "relaykit.toml"
    log = program.cwd / "logs"
    path.write_text(f'[agents.a]\nprovider = "echo"\n[sinks.x]\nuse = "jsonl"\npath = "{log}/e.jsonl"\n', "utf-8")
    said = f"{path}: sinks.x: path: {log} does not exist; make it, or name another"
    for words in (["config", "check"], ["run"], ["service", "install", "--print"]):
        ended = program(*words)
        assert (ended.code, ended.out, ended.err) == (2, "", f"relaykit: {said}\n")
    (check,) = [one for one in program("doctor", "--json").json["checks"] if one["check"] == "sink"]
    assert (check["level"], check["text"]) == ("fail", f"x: path: {log} does not exist; make it, or name another")
    log.mkdir()
    assert program("config", "check").code == 0
    assert list(log.iterdir()) == []


def test_the_plugin_that_everything_needs_cannot_be_disabled(program):
    path = program.cwd / "relaykit.toml"
    path.write_text('[plugins]\ndisabled = ["builtin", "one-that-is-installed-elsewhere"]\n', "utf-8")
    said = f"relaykit: {path}: plugins.disabled[0]: no relay runs without 'builtin'; take it out\n"
    assert (program("config", "check").code, program("config", "check").err) == (2, said)
    path.write_text('[plugins]\ndisabled = ["one-that-is-installed-elsewhere"]\n', "utf-8")
    assert program("config", "check").code == 0


def test_the_configuration_that_was_begun_elsewhere_is_named_in_what_comes_next(program):
    assert program("config", "init", "--config", "my relay.toml").out == (
        "wrote my relay.toml; next: relaykit config check --config 'my relay.toml', then relaykit run --config 'my relay.toml'\n"
    )
    assert program("config", "init").out == "wrote relaykit.toml; next: relaykit config check, then relaykit run\n"


@pytest.mark.parity("AR-3")
def test_every_problem_of_a_configuration_is_told_at_once(program):
    (program.cwd / "relaykit.toml").write_text(
        '[agents.one]\nprovider = "ecko"\n[agents.two]\nprovider = "echo"\npriorty = "now"\n', encoding="utf-8"
    )
    ended = program("config", "check")
    assert (ended.code, ended.out) == (2, "")
    assert "agents.one.provider" in ended.err
    assert "did you mean 'echo'?" in ended.err
    assert "agents.two" in ended.err
    assert all(line.startswith("relaykit: ") for line in ended.err.splitlines())
    document = program("config", "check", "--json").json
    assert (document["ok"], len(document["problems"])) == (False, 2)
    assert program("run").code == 2
    assert program("doctor").code == 1


def test_the_schema_is_one_json_document_with_the_plugins_options(program):
    schema = json.loads(program("config", "schema").out)
    assert schema["properties"]["agents"]
    assert "Says every text again" not in schema


def test_new_provider_writes_files_once(program):
    files = program("new", "provider", "sparrow", "--json").json["files"]
    assert {file.rpartition("/")[2] for file in files} == {"relaykit_sparrow.py", "pyproject.toml", "test_sparrow.py"}
    assert all((program.cwd / file).exists() for file in files)
    again = program("new", "provider", "sparrow")
    assert again.code == 2
    assert program("new", "provider", "Bad Name").code == 2


def test_the_doctor_says_what_is_wrong_with_the_home_and_changes_nothing(program):
    ended = program("doctor")
    assert ended.code == 0
    assert not program.home.exists()
    program.home.mkdir(mode=0o755)
    program.home.chmod(0o755)
    remark = next(check for check in program("doctor", "--json").json["checks"] if check["check"] == "home")
    assert (remark["level"], remark["remedy"]) == ("warn", f"chmod 700 {program.home}")


def test_the_doctor_fails_on_a_damaged_mailbox(program):
    program("send", "user", "hello")
    for path in program.home.glob("mailbox.db*"):
        if path.is_file():
            path.write_bytes(b"not a database, " * 1000)
    ended = program("doctor", "--json")
    assert ended.code == 1
    remark = next(check for check in ended.json["checks"] if check["check"] == "mailbox")
    assert remark["level"] == "fail"
    assert remark["remedy"]


@pytest.mark.parity("AR-14")
def test_profiles_are_listed_and_shown_with_what_each_provider_makes_of_them(program):
    folder = program.cwd / "profiles" / "careful"
    (folder / "skills" / "greet").mkdir(parents=True)
    (folder / "skills" / "greet" / "SKILL.md").write_text("---\ndescription: Greets.\n---\n", encoding="utf-8")
    (folder / "profile.toml").write_text('env = { LEVEL = "debug" }\n', encoding="utf-8")
    assert program("profiles").out.splitlines()[1].split() == ["careful", "host", "-", "skills,", "env"]
    document = program("profiles", "show", "careful", "--provider", "exec", "--json").json
    (report,) = document["providers"]
    states = {item["item"]: item["state"] for item in report["items"]}
    assert states == {"skills.greet": "cannot", "env.LEVEL": "projected", "base": "projected"}
    shown = program("profiles", "show", "careful").out
    assert [line for line in shown.splitlines() if line.startswith("careful with ")] != []
    assert "skills.greet  cannot" in shown
    wrong = program("profiles", "show", "carefull")
    assert (wrong.code, "did you mean 'careful'?" in wrong.err) == (2, True)
    assert program("profiles", "show", "careful", "--provider", "exce").code == 2


@pytest.mark.parity("AR-2")
def test_run_takes_a_profile_of_a_directory(program):
    folder = program.cwd / "profiles" / "careful"
    (folder / "files").mkdir(parents=True)
    (folder / "files" / "NOTES.md").write_text("notes", encoding="utf-8")
    (folder / "profile.toml").write_text('instructions = "Be brief."\nenv = { LEVEL = "debug" }\n', encoding="utf-8")
    options = ["--option", 'command=["sh", "-c", "cat NOTES.md; echo $LEVEL"]']
    with program.relay("--provider", "exec", "--agent", "a", "--profile", "careful", *options) as relay:
        assert program("send", "a", "hello", "--wait", "20").out.split() == ["notesdebug"]
        assert program("stop", "a").code == 0
        _, said = relay.communicate(timeout=30)
    assert "profile careful is not wholly projected: instructions: a command takes a text" in said


HANGS = """
from contextlib import asynccontextmanager

import anyio

from relaykit.plugin import Component, hookimpl


@asynccontextmanager
async def open_(options, context):
    print("opening", flush=True)
    await anyio.sleep_forever()
    yield None


@hookimpl
def relaykit_transports():
    return [Component(name="hangs", summary="never opens", open=open_)]
"""


@pytest.mark.parametrize(("number", "code"), [(signal.SIGTERM, 0), (signal.SIGINT, 130)])
def test_a_relay_that_is_still_opening_is_stopped_like_any_other(with_plugin, number, code):
    program = with_plugin("hangs", hooks=HANGS)
    (program.cwd / "relaykit.toml").write_text('[transports.far]\nuse = "hangs"\n')
    with program.start("run", "--provider", "echo") as relay:
        assert relay.stdout.readline() == "opening\n"
        relay.send_signal(number)
        assert relay.wait(30) == code
        assert relay.stderr.read() == ""


@pytest.mark.parametrize(("text", "said"), [("x = [", "Invalid value at its end"), (None, "there is no such file")])
def test_the_check_of_a_configuration_that_cannot_be_read_has_its_own_document(program, text, said):
    file = program.cwd / "my.toml"
    if text is not None:
        file.write_text(text, encoding="utf-8")
    ended = program("config", "check", "--config", str(file), "--json")
    assert (ended.code, ended.json["ok"], ended.json["file"]) == (2, False, str(file))
    (problem,) = ended.json["problems"]
    assert said in problem
    assert ended.err == f"relaykit: {problem}\n"


def test_a_configuration_is_begun_in_a_file_and_no_directory(program):
    ended = program("config", "init", "--config", "/", "--force")
    assert (ended.code, ended.err) == (2, "relaykit: /: this is a directory; name the file, as /relaykit.toml\n")
