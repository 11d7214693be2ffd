"""Plugins are found by their entry points, and nothing is imported before all are known."""

from __future__ import annotations

import subprocess
import sys

import pytest

from relaykit.errors import PluginError
from relaykit.registry import Found, PluginState, discover, load
from relaykit.registry.discovery import unique

EXPLODES = "raise RuntimeError('this module must not be imported')"


def test_plugins_are_found_sorted_and_not_imported(site):
    site.install("zebra-plug", "2.1", plugins={"zebra": "zebra_plug"}, modules={"zebra_plug": EXPLODES})
    site.install("aardvark-plug", plugins={"aardvark": "aardvark_plug:plugin"}, modules={"aardvark_plug": EXPLODES})
    plugins = discover()
    names = [plugin.name for plugin in plugins]
    assert names == sorted(names)
    assert Found(name="zebra", target="zebra_plug", distribution="zebra-plug", version="2.1") in plugins
    assert not {"zebra_plug", "aardvark_plug"} & set(sys.modules)


def test_what_comes_with_relaykit_comes_through_the_same_door():
    builtin = {plugin.name: plugin for plugin in discover() if plugin.is_builtin}
    assert set(builtin) == {"builtin", "sqlite-mailbox", "sqlite-sessions"}
    assert builtin["builtin"].target == "relaykit.builtin.hooks"
    assert {"claude", "codex", "signaldock"} <= {plugin.name for plugin in discover()}


def test_two_distributions_with_one_name_are_both_named_before_anything_is_imported(site):
    site.install("bbb-plug", "2.0", plugins={"same": "bbb_plug"}, modules={"bbb_plug": EXPLODES})
    site.install("aaa-plug", "1.0", plugins={"same": "aaa_plug"}, modules={"aaa_plug": EXPLODES})
    with pytest.raises(PluginError) as caught:
        load()
    assert str(caught.value) == (
        "two distributions offer a plugin called 'same': aaa-plug 1.0 and bbb-plug 2.0; uninstall one"
    )


def test_one_plugin_found_twice_is_one():
    plugin = Found(name="same", target="same_plug", distribution="same-plug", version="1")
    assert unique([plugin, plugin]) == [plugin]


def test_disabled_plugins_are_not_imported(site):
    site.install("off-plug", plugins={"off": "off_plug"}, modules={"off_plug": EXPLODES})
    states = {plugin.found.name: plugin.state for plugin in load(disabled=["off"]).plugins}
    assert states["off"] is PluginState.DISABLED
    assert states["builtin"] is PluginState.LOADED
    assert "off_plug" not in sys.modules


@pytest.mark.parametrize(("only", "loaded"), [((), False), (("on",), True)])
def test_only_the_named_plugins_and_the_builtin_ones_are_loaded(site, only, loaded):
    site.install("on-plug", plugins={"on": "on_plug"}, modules={"on_plug": ""})
    states = {plugin.found.name: plugin.state for plugin in load(only=only).plugins}
    assert (states["on"] is PluginState.LOADED) is loaded
    assert states["codex"] is PluginState.DISABLED
    assert states["builtin"] is PluginState.LOADED


def test_a_name_that_is_not_installed_cannot_be_the_only_one():
    with pytest.raises(PluginError, match=r"RELAYKIT_PLUGINS: no plugin is called 'nosuch'; installed: builtin, "):
        load(only=["nosuch"])


def test_the_registry_is_imported_without_what_is_heavy():
    code = (
        "import sys, relaykit.registry, relaykit.builtin.hooks; "
        "print(*[name for name in ('jsonschema', 'importlib.metadata', 'anyio', 'asyncio', 'typer') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=30)
    assert done.stdout.split() == []


def test_what_everything_needs_is_loaded_whatever_is_disabled():
    states = {plugin.found.name: plugin.state for plugin in load(disabled=["builtin", "sqlite-mailbox"]).plugins}
    assert (states["builtin"], states["sqlite-mailbox"]) == (PluginState.LOADED, PluginState.DISABLED)
