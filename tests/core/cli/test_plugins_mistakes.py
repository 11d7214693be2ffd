"""What the code of a plugin raises by mistake is one line that says whose it is, where, and what was asked of it."""

from __future__ import annotations

import signal

import pytest

HOOKS = """
from contextlib import asynccontextmanager
from relaykit.plugin import CliCommand, Component, hookimpl

def fails(*_):
    raise ValueError("out of order")

@asynccontextmanager
async def opens(options, context):
    yield

@hookimpl
def relaykit_providers():
    return [Component(name="odd", summary="", open=fails, check=fails, projects=fails)]

def uses():
    return [Component(name="odd", summary="", open=fails), Component(name="blind", summary="", open=opens, check=fails)]

relaykit_status_sinks = hookimpl(specname="relaykit_status_sinks")(lambda: uses())
relaykit_routers = hookimpl(specname="relaykit_routers")(lambda: uses())
relaykit_transports = hookimpl(specname="relaykit_transports")(lambda: uses())
relaykit_session_stores = hookimpl(specname="relaykit_session_stores")(lambda: uses())

@hookimpl
def relaykit_cli_commands():
    return [CliCommand(name="absent", summary="", target="{module}_greet:nobody")]
"""
PLUGIN = "of plugin 'odd_plugin' (odd_plugin 1.0)"
RAISED = "raised ValueError: out of order"
AGENT = '[agents.a]\nprovider = "echo"\n'


@pytest.fixture
def odd(with_plugin):
    return with_plugin("odd_plugin", hooks=HOOKS)


def configure(program, text):
    path = program.cwd / "relaykit.toml"
    path.write_text(text, "utf-8")
    return path


@pytest.mark.parametrize(
    ("section", "kind"), [("sinks", "status sink"), ("routers", "router"), ("transports", "transport")]
)
def test_a_component_that_cannot_be_opened_ends_the_relay_in_one_line(odd, section, kind):
    path = configure(odd, f'{AGENT}[{section}.x]\nuse = "odd"\n')
    ended = odd("run")
    said = f"relaykit: {path}: {section}.x: {kind} 'odd' {PLUGIN}: open {RAISED}\n"
    assert (ended.code, ended.out, ended.err) == (2, "", said)
    assert 'raise ValueError("out of order")' in odd("run", "--debug").err


def test_a_store_that_cannot_be_opened_ends_the_relay_in_one_line(odd):
    configure(odd, f'{AGENT}[sessions]\nuse = "odd"\n')
    ended = odd("run")
    assert (ended.code, ended.err) == (2, f"relaykit: sessions: session store 'odd' {PLUGIN}: open {RAISED}\n")


def test_a_check_that_fails_by_mistake_is_a_finding_and_a_problem(odd):
    path = configure(odd, f'{AGENT}[sinks.x]\nuse = "blind"\n')
    said = f"status sink 'blind' {PLUGIN}: check {RAISED}"
    for words in (["config", "check"], ["run"]):
        ended = odd(*words)
        assert (ended.code, ended.err) == (2, f"relaykit: {path}: sinks.x: {said}\n")
    checks = [(one["check"], one["level"], one["text"]) for one in odd("doctor", "--json").json["checks"]]
    assert ("sink", "fail", f"x: {said}") in checks
    assert ("provider", "warn", f"odd: provider 'odd' {PLUGIN}: check {RAISED}") in checks


def test_a_provider_that_cannot_be_opened_is_told_with_the_line_that_raised(odd):
    with odd.start("run", "--provider", "odd") as relay:
        assert relay.stderr.readline() == "relaykit: odd: ValueError: out of order (odd_plugin.py:6)\n"
        relay.send_signal(signal.SIGTERM)
        relay.wait(30)


def test_a_profile_that_a_provider_cannot_project_is_told_in_one_line(odd):
    configure(odd, '[agents.a]\nprovider = "odd"\nprofile = "p"\n[profiles.p]\nmodel = "m"\n')
    said = f"provider 'odd' {PLUGIN}: projects {RAISED}\n"
    shown, run = odd("profiles", "show", "p"), odd("run")
    assert (shown.code, shown.err) == (2, f"relaykit: {said}")
    assert (run.code, run.err) == (2, f"relaykit: agents.a: {said}")


def test_a_command_whose_function_is_not_there_is_told_in_one_line(odd):
    ended = odd("absent")
    assert ended.code == 2
    assert ended.err == (
        f"relaykit: command 'absent' {PLUGIN}: importing 'odd_plugin_greet:nobody' raised AttributeError: "
        "module 'odd_plugin_greet' has no attribute 'nobody'\n"
    )


def test_of_two_plugins_with_one_command_the_configuration_disables_one(with_plugin):
    with_plugin("one_plugin")
    program = with_plugin("two_plugin")
    said = "command 'greet' is offered by both 'one_plugin' (one_plugin 1.0) and 'two_plugin' (two_plugin 1.0); disable one"
    for words in (["plugins"], ["--help"], ["greet"]):
        assert said in program(*words).err
    configure(program, '[plugins]\ndisabled = ["one_plugin"]\n')
    states = {one["name"]: one["state"] for one in program("plugins", "--json").json["plugins"]}
    assert (states["one_plugin"], states["two_plugin"]) == ("disabled", "loaded")
    assert "Greets." in program("--help").out
    assert program("greet", "you").out == "greetings you\n"


def test_a_configuration_that_cannot_be_read_keeps_nobody_from_the_help_or_the_plugins(with_plugin):
    program = with_plugin("one_plugin")
    configure(program, "[plugins\n")
    assert "Greets." in program("--help").out
    assert "one_plugin 1.0  loaded" in program("plugins").out
