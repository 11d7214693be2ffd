"""The import direction is law: model, plugin, registry and config, storage, mailbox and sessions, relay, server, cli."""

from __future__ import annotations

from graphlib import CycleError, TopologicalSorter

CONTRACT = {"errors", "model", "plugin"}
ASSEMBLED = CONTRACT | {"registry", "config"}
STORES = ASSEMBLED | {"storage"}
RELAY = STORES | {"mailbox", "sessions"}
SERVER = RELAY | {"relay"}
CLI = SERVER | {"server", "builtin", "templates"}
ALLOWED = {
    "": {"plugin"},
    "__main__": {"cli"},
    "errors": {"model"},
    "descriptor": set(),
    "lazily": set(),
    "wakeups": set(),
    "model": {"errors", "lazily"},
    "plugin": {"errors", "lazily", "model", "wakeups"},
    "registry": CONTRACT,
    "config": CONTRACT | {"lazily", "registry"},
    "storage": ASSEMBLED | {"descriptor", "wakeups"},
    "mailbox": STORES,
    "sessions": STORES,
    "relay": RELAY | {"descriptor", "wakeups"},
    "server": SERVER,
    "cli": CLI,
    "builtin": CONTRACT,
    "templates": {"errors"},
    "testing": SERVER | {"lazily", "server", "builtin"},
}
"""What each part of relaykit may import, beside itself and the version."""


def part(module: str) -> str:
    """The part of relaykit that a module is in."""
    return [*module.split("."), ""][1]


def parts_imported(module):
    for name, line in module.imports():
        if name.startswith("relaykit."):
            yield part(name), line


def file_imported(name, names):
    """The module that an imported name is in."""
    while name and name not in names:
        name = name.rpartition(".")[0]
    return name


def circle(modules):
    """Modules each of which imports the next one, and the last one the first; none where there is no such circle."""
    names = {module.name for module in modules}
    imports = {module.name: {file_imported(name, names) for name, _ in module.imports()} for module in modules}
    try:
        TopologicalSorter({name: found - {name, ""} for name, found in imports.items()}).prepare()
    except CycleError as error:
        return error.args[1]
    return []


def test_every_part_of_relaykit_is_in_the_order(modules):
    parts = {part(module.name) for module in modules if module.name.split(".")[0] == "relaykit"}
    assert parts - set(ALLOWED) == set()


def test_relaykit_imports_downwards_only(modules):
    wrong = [
        f"{module.name}:{line} imports relaykit.{imported}"
        for module in modules
        if module.name.split(".")[0] == "relaykit"
        for imported, line in parts_imported(module)
        if imported not in ALLOWED[part(module.name)] | {part(module.name), "__version__"}
    ]
    assert wrong == []


def test_the_errors_know_the_model_for_their_types_alone(modules):
    (errors,) = [module for module in modules if module.name == "relaykit.errors"]
    assert [line for name, line in errors.imports() if name.startswith("relaykit")] != []
    runtime = [node for node in errors.tree.body if type(node).__name__ == "ImportFrom"]
    assert not [node.module for node in runtime if (node.module or "").startswith("relaykit")]


def test_the_plugins_import_what_a_third_party_may(modules):
    contract = CONTRACT | {"__version__"}
    wrong = [
        f"{module.name}:{line} imports relaykit.{imported}"
        for module in modules
        if module.name.split(".")[0] != "relaykit"
        for imported, line in parts_imported(module)
        if imported not in contract
    ]
    assert wrong == []


def test_no_plugin_imports_another(modules):
    plugins = {module.name.split(".")[0] for module in modules} - {"relaykit"}
    wrong = [
        f"{module.name}:{line} imports {name}"
        for module in modules
        for name, line in module.imports()
        if (top := name.split(".")[0]) in plugins and top != module.name.split(".")[0]
    ]
    assert wrong == []


def test_imports_are_absolute(modules):
    assert [
        f"{module.name}:{line}" for module in modules for name, line in module.imports() if name.startswith(".")
    ] == []


def test_no_file_imports_one_that_imports_it(modules):
    assert circle(modules) == []


def test_a_circle_of_imports_is_found(modules):
    class Closing:
        name = "relaykit.errors"

        def imports(self):
            yield "relaykit.cli.entry.main", 1

    others = [module for module in modules if module.name != Closing.name]
    assert set(circle([*others, Closing()])) >= {"relaykit.errors", "relaykit.cli.entry"}
