"""A plugin that is broken is blamed by name, distribution and version, and the others go on."""

from __future__ import annotations

import io
from textwrap import dedent

import pytest

from relaykit.errors import ConfigError, PluginError
from relaykit.plugin import CliCommand, Component, hookimpl
from relaykit.registry import MAILBOX, PROVIDER, ROUTER, TRANSPORT, PluginState, Registry, load

GOOD = """
    from relaykit.plugin import CliCommand, Component, hookimpl

    @hookimpl
    def relaykit_providers():
        return [Component(name="good", summary="made up", open=dict)]

    @hookimpl
    def relaykit_cli_commands():
        return [CliCommand(name="greet", summary="Greet", target="good_plug:greet")]
"""

HOOK = "from relaykit.plugin import CliCommand, Component, hookimpl\n\n@hookimpl\n"
SINK = HOOK + "def relaykit_status_sinks(): return [Component({})]"
COMMAND = HOOK + "def relaykit_cli_commands(): return [CliCommand({})]"
BROKEN = {
    "an import that is not there": ("import no_such_module_at_all", "could not be imported: No module named"),
    "an error while importing": ("1 / 0", "could not be imported: ZeroDivisionError: division by zero"),
    "a syntax error": ("def f(:", "could not be imported: SyntaxError"),
    "an exit": ("raise SystemExit(3)", "could not be imported: SystemExit: 3"),
    "a misspelt hook": (
        HOOK + "def relaykit_provider(): return []",
        "there is no hook 'relaykit_provider'; did you mean 'relaykit_providers'?",
    ),
    "a hook that raises": (
        HOOK + "def relaykit_routers(): raise OSError('no disk')",
        "OSError: no disk",
    ),
    "a hook that takes too much": (
        HOOK + "def relaykit_routers(config): return []",
        "PluginValidationError",
    ),
    "a hook that nobody marked": (
        "def relaykit_routers(): return []",
        "relaykit_routers is there without @hookimpl, so that nobody calls it",
    ),
    "a hook without a return": (
        HOOK + "def relaykit_routers(): []",
        "relaykit_routers returns nothing; it has to return a list of components",
    ),
    "an asynchronous hook": (
        HOOK + "async def relaykit_routers(): return []",
        "relaykit_routers has to return a list of components, not coroutine",
    ),
    "one component in place of a list": (
        HOOK + "def relaykit_routers(): return Component(name='x', summary='', open=dict)",
        "relaykit_routers has to return a list of components, not Component",
    ),
    "something else in the list": (
        HOOK + "def relaykit_routers(): return ['address']",
        "relaykit_routers offers 'address', which is no Component",
    ),
    "a name that cannot be written": (
        HOOK + "def relaykit_routers(): return [Component(name='a b', summary='', open=dict)]",
        "router 'a b' has a name that no configuration can use",
    ),
    "a newer contract": (
        HOOK + "def relaykit_routers(): return [Component(name='x', summary='', open=dict, api=99)]",
        "router 'x' speaks contract 99, this relaykit speaks 1; update relaykit",
    ),
    "something that is no command": (
        HOOK + "def relaykit_cli_commands(): return ['greet']",
        "relaykit_cli_commands offers 'greet', which is no CliCommand",
    ),
    "a name that is no string": (
        SINK.format("name=3, summary='', open=dict"),
        "status sink 3: name has to be a string, not int",
    ),
    "no summary": (
        SINK.format("name='x', summary=None, open=dict"),
        "status sink 'x': summary has to be a string, not NoneType",
    ),
    "an open that cannot be called": (
        SINK.format("name='x', summary='', open='nope'"),
        "status sink 'x': open has to be a function, not str",
    ),
    "no schema": (
        SINK.format("name='x', summary='', open=dict, options_schema=None"),
        "status sink 'x': options_schema has to be a mapping, not NoneType",
    ),
    "a schema that is a list": (
        SINK.format("name='x', summary='', open=dict, options_schema=['type']"),
        "status sink 'x': options_schema has to be a mapping, not list",
    ),
    "a check that cannot be called": (
        SINK.format("name='x', summary='', open=dict, check=True"),
        "status sink 'x': check has to be a function, not bool",
    ),
    "a contract in words": (
        SINK.format("name='x', summary='', open=dict, api='1'"),
        "status sink 'x': api has to be a whole number, not str",
    ),
    "a command whose name is no string": (
        COMMAND.format("name=3, summary='', target='a:b'"),
        "command 3: name has to be a string, not int",
    ),
    "a command of two words": (
        COMMAND.format("name='a b', summary='', target='a:b'"),
        "command 'a b' has a name that no command line can use",
    ),
    "a command without a target": (
        COMMAND.format("name='x', summary='', target=None"),
        "command 'x': target has to be a string, not NoneType",
    ),
    "one component twice": (
        HOOK + "def relaykit_routers(): return [Component(name='x', summary='', open=dict)] * 2",
        "router 'x' is offered twice",
    ),
    "one command twice": (
        HOOK + "def relaykit_cli_commands(): return [CliCommand(name='x', summary='', target='a:b')] * 2",
        "command 'x' is offered twice",
    ),
}


@pytest.mark.parametrize("why", BROKEN)
def test_a_broken_plugin_is_noted_and_the_others_are_loaded(site, why):
    text, reason = BROKEN[why]
    site.install("bad-plug", "0.3", plugins={"bad": "bad_plug"}, modules={"bad_plug": text})
    site.install("good-plug", plugins={"good": "good_plug"}, modules={"good_plug": GOOD})
    registry = load()
    bad = next(plugin for plugin in registry.plugins if plugin.found.name == "bad")
    assert bad.state is PluginState.FAILED
    assert bad.error.startswith("plugin 'bad' (bad-plug 0.3)")
    assert reason in bad.error
    assert "\n" not in bad.error
    assert "good" in registry.providers
    assert not {"x", "a b", 3} & {*registry.routers, *registry.status_sinks}
    assert [command.name for command in registry.cli_commands() if command.name != "dock"] == ["greet"]


def test_a_component_of_a_plugin_that_failed_is_missed_with_the_reason(site):
    site.install("bad-plug", "0.3", plugins={"bad": "bad_plug"}, modules={"bad_plug": "import no_such_module_at_all"})
    with pytest.raises(ConfigError) as caught:
        load().component(PROVIDER, "bad")
    assert str(caught.value) == (
        "unknown provider 'bad'; plugin 'bad' (bad-plug 0.3) could not be imported: "
        "No module named 'no_such_module_at_all'"
    )


def test_an_unlike_name_may_be_of_a_plugin_that_failed(site):
    site.install("bad-plug", "0.3", plugins={"bad": "bad_plug"}, modules={"bad_plug": "1 / 0"})
    with pytest.raises(ConfigError, match=r"unknown provider 'zzz'; it may be of one that failed: plugin 'bad'"):
        load().component(PROVIDER, "zzz")


def test_what_a_plugin_is_and_offers_is_known(site):
    site.install("good-plug", "3.1", plugins={"good": "good_plug"}, modules={"good_plug": GOOD})
    registry = load(only=["good"])
    good = next(plugin for plugin in registry.plugins if plugin.found.name == "good")
    assert good.found.origin == "good-plug 3.1"
    assert good.hooks == ("relaykit_cli_commands", "relaykit_providers")
    assert [(offer.kind, offer.component.name, offer.component.summary) for offer in good.offers] == [
        (PROVIDER, "good", "made up")
    ]
    assert [command.name for command in registry.cli_commands()] == ["greet"]


def test_an_entry_point_may_name_an_object(site):
    text = """
        from relaykit.plugin import Component, hookimpl

        class Plugin:
            @hookimpl
            def relaykit_providers(self):
                return (Component(name="object", summary="made up", open=dict) for _ in range(1))

        plugin = Plugin()
    """
    site.install("object-plug", plugins={"object": "object_plug:plugin"}, modules={"object_plug": dedent(text)})
    assert "object" in load().providers


def test_two_plugins_with_one_component_are_both_blamed(site):
    site.install("one-plug", "1.0", plugins={"one": "one_plug"}, modules={"one_plug": GOOD})
    site.install("two-plug", "2.0", plugins={"two": "two_plug"}, modules={"two_plug": GOOD})
    with pytest.raises(PluginError) as caught:
        load()
    assert str(caught.value) == (
        "provider 'good' is offered by both 'one' (one-plug 1.0) and 'two' (two-plug 2.0); disable one"
    )
    assert "good" in load(disabled=["two"]).providers


class Offering:
    def __init__(self, name):
        self._name = name

    @hookimpl
    def relaykit_providers(self):
        return [Component(name=self._name, summary="", open=dict)]

    @hookimpl
    def relaykit_cli_commands(self):
        return [CliCommand(name="greet", summary="", target="")]


def test_a_plugin_that_is_refused_leaves_nothing_behind():
    registry = Registry()
    registry.register(Offering("x"), "one")
    with pytest.raises(PluginError, match="provider 'x' is offered by both 'one' and 'two'; disable one"):
        registry.register(Offering("x"), "two")
    with pytest.raises(PluginError, match="command 'greet' is offered by both 'one' and 'two'; disable one"):
        registry.register(Offering("y"), "two")
    assert list(registry.providers) == ["x"]


def test_a_name_may_be_of_two_kinds():
    registry = Registry()
    for kind in (PROVIDER, TRANSPORT):
        registry.add(kind, Component(name="both", summary="", open=dict))
    assert list(registry.providers) == list(registry.transports) == ["both"]
    with pytest.raises(PluginError, match="transport 'both' is offered by both"):
        registry.add(TRANSPORT, Component(name="both", summary="", open=dict))


def test_a_trace_names_every_call_its_plugin_and_what_it_returned(site):
    site.install("good-plug", plugins={"good": "good_plug"}, modules={"good_plug": GOOD})
    out = io.StringIO()
    load(only=["good"], trace=out)
    lines = out.getvalue().splitlines()
    assert "relaykit_providers() of good: [good]" in lines
    assert "relaykit_cli_commands() of good: [greet]" in lines
    assert any(line.startswith("relaykit_routers() of builtin: [address") for line in lines)


def test_a_near_name_an_extra_and_all_names_are_told():
    registry = Registry()
    registry.register(Offering("codex"), "one")
    explain = registry.explain_missing
    assert explain(PROVIDER, "cdoex") == "unknown provider 'cdoex'; did you mean 'codex'?"
    assert explain(PROVIDER, "claude") == (
        "unknown provider 'claude'; install it with: pip install \"relaykit[claude]\""
    )
    assert explain(PROVIDER, "cluade") == (
        "unknown provider 'cluade'; did you mean 'claude'?; install it with: pip install \"relaykit[claude]\""
    )
    assert explain(PROVIDER, "zzz") == "unknown provider 'zzz'; installed: codex"
    assert explain(ROUTER, "zzz") == "unknown router 'zzz'; installed: none"


def test_a_component_that_is_disabled_says_so():
    explained = load(disabled=["codex"]).explain_missing(PROVIDER, "codex")
    assert explained.startswith("unknown provider 'codex'; plugin 'codex' (relaykit-codex ")
    assert explained.endswith(" is disabled by the configuration or RELAYKIT_PLUGINS")


def test_a_name_that_nothing_is_left_for_comes_with_the_plugins_that_are_disabled():
    said = load(disabled=["sqlite-mailbox"]).explain_missing(MAILBOX, "sqlite")
    assert said == "unknown mailbox 'sqlite'; installed: none; these plugins are disabled: sqlite-mailbox"
