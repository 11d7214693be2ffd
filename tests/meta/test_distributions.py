"""Four distributions, one version; packages export what they say."""

from __future__ import annotations

import importlib
import re
import tomllib

import relaykit
from relaykit.registry.missing import EXTRAS

PLUGINS = ("claude", "codex", "signaldock")
LIBRARIES = ("credentials", "keyring", "fast")
"""The extras that bring what a built-in component needs and most people do not."""


def project(path):
    return tomllib.loads((path / "pyproject.toml").read_text())["project"]


def test_the_versions_agree(root):
    core = project(root)
    version = core["version"]
    assert relaykit.__version__ == version
    assert {project(root / f"relaykit_{name}")["version"] for name in PLUGINS} == {version}
    extras = core["optional-dependencies"]
    assert {name: extras[name] for name in PLUGINS} == {name: [f"relaykit-{name}=={version}"] for name in PLUGINS}
    compatible = f"relaykit~={re.sub(r'[.][0-9]+$', '.0', version)}"
    for name in PLUGINS:
        assert compatible in project(root / f"relaykit_{name}")["dependencies"]


def test_every_extra_that_is_a_plugin_has_a_folder_and_the_other_way_round(root):
    folders = {path.parent.name.removeprefix("relaykit_") for path in root.glob("relaykit_*/pyproject.toml")}
    extras = set(project(root)["optional-dependencies"]) - {"all", "testing", *LIBRARIES}
    assert folders == extras == set(PLUGINS)
    assert project(root)["optional-dependencies"]["all"] == [f"relaykit[{','.join((*PLUGINS, *LIBRARIES))}]"]


def test_the_missing_component_hint_knows_every_extra():
    assert set(EXTRAS) == set(PLUGINS)


def test_every_distribution_is_typed_and_names_a_module_that_is_there(root):
    for folder in (root / "relaykit", *(root / f"relaykit_{name}" for name in PLUGINS)):
        assert (folder / "py.typed").exists()
        declared = root if folder.name == "relaykit" else folder
        for target in project(declared)["entry-points"]["relaykit"].values():
            assert importlib.util.find_spec(target) is not None


def test_packages_export_what_they_say(modules):
    exporting = []
    for module in modules:
        if module.path.name != "__init__.py":
            continue
        package = importlib.import_module(module.name)
        names = list(getattr(package, "__all__", ()))
        exporting += [module.name] * bool(names)
        assert len(set(names)) == len(names), module.name
        assert [name for name in names if getattr(package, name, None) is None] == [], module.name
        lazy = getattr(package, "_HOME", None)
        assert lazy is None or set(lazy) <= set(names), module.name
    assert {"relaykit", "relaykit.model", "relaykit.plugin", "relaykit.registry", "relaykit.config"} <= set(exporting)


def test_no_export_is_hidden_by_a_module_of_its_name(modules):
    names = {module.name for module in modules}
    hidden = [
        f"{module.name}.{name}"
        for module in modules
        if module.path.name == "__init__.py"
        for name in getattr(importlib.import_module(module.name), "__all__", ())
        if f"{module.name}.{name}" in names
    ]
    assert hidden == []
