"""``relaykit config``: check, show, describe and begin a configuration."""

from __future__ import annotations

import json as jsonlib
import shlex
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from relaykit.cli.calling import examples
from relaykit.cli.configured import fitting
from relaykit.cli.options import Json
from relaykit.cli.output import complain, say, say_json
from relaykit.cli.parameters import Option
from relaykit.config import as_toml, plugins, read, settings
from relaykit.config import schema as schema_of
from relaykit.config.places import HERE, find_file
from relaykit.errors import ConfigError, UsageError

if TYPE_CHECKING:
    from relaykit.config import Config

_File = Annotated[
    Path | None, Option("--config", metavar="F", help="The file; ./relaykit.toml or the user's if left out.")
]


@examples("relaykit config check", "relaykit config check --config relaykit.toml --json")
def check(config: _File = None, json: Json = False) -> int:
    """Check the configuration; tell every problem at once, each with its place and a remedy."""
    file = config
    try:
        file = find_file(config)
        source = read(file)
        checked = fitting(source, plugins(source))
    except ConfigError as error:
        for problem in error.problems:
            complain(problem)
        if json:
            say_json({"ok": False, "file": str(file) if file else None, "problems": list(error.problems)})
        return error.exit_code
    if json:
        say_json({"ok": True, "file": str(file) if file else None, "problems": []})
    else:
        say(f"{file or 'no file'}: good; {_agents(checked)}")
    return 0


@examples("relaykit config show", "RELAYKIT_HOME=/srv/relay relaykit config show --json")
def show(config: _File = None, json: Json = False) -> None:
    """Show every value that holds, and who said it; secrets are masked."""
    source = read(config)
    found = settings(source, plugins(source))
    if json:
        each = [{"path": [*setting.path], "value": setting.value, "origin": setting.origin} for setting in found]
        say_json({"file": str(source.file) if source.file else None, "settings": each})
    else:
        say(as_toml(found).rstrip("\n"))


@examples("relaykit config schema > relaykit.schema.json")
def schema(config: _File = None, json: Json = False) -> None:  # noqa: ARG001 - it is JSON in any case
    """Print the JSON Schema of a configuration, with the options of every plugin that is loaded."""
    say(jsonlib.dumps(schema_of(plugins(read(config))), indent=2))


@examples("relaykit config init", "relaykit config init --config ~/.config/relaykit/config.toml")
def init(
    config: Annotated[Path, Option("--config", metavar="F", help="The file to write.")] = Path("relaykit.toml"),
    force: Annotated[bool, Option("--force", help="Write over one that is there.")] = False,
    json: Json = False,
) -> None:
    """Write a configuration to begin with: one agent, and what else there is as comments."""
    path = config.expanduser()
    if path.is_dir():
        raise UsageError(f"{path}: this is a directory; name the file, as {path / HERE}")
    if path.exists() and not force:
        raise UsageError(f"{path} is there already; --force writes over it")
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(_BEGINNING, encoding="utf-8")
    if json:
        say_json({"file": str(path)})
    else:
        said = f" --config {shlex.quote(str(config))}" if path != Path("relaykit.toml") else ""
        say(f"wrote {path}; next: relaykit config check{said}, then relaykit run{said}")


def _agents(config: Config) -> str:
    names = ", ".join(agent.id for agent in config.agents)
    return f"agents: {names}" if names else "no agents yet"


_BEGINNING = """\
# The configuration of relaykit. `relaykit config schema` has every key, `relaykit config show` every value that holds.

[agents.echo]
provider = "echo"                    # try it: relaykit run, then: relaykit send echo "Hello." --wait

# [agents.reviewer]
# provider = "codex"
# cwd = "~/src/app"
# tags = ["review"]                  # relaykit send tag:review "..." --all --wait
# approval = "ask"                   # ask, auto, read-only or deny
# profile = "careful"

# [agents.reviewer.options]          # the provider's own
# model = "..."

# [profiles.careful]
# instructions = "Never push."       # more of a profile: docs/how-to/profiles.md, or a directory profiles/careful/

# [sinks.log]
# use = "jsonl"
# path = "events.jsonl"
"""
