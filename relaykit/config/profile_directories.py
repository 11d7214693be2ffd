"""Profiles that are directories, told in the words of the configuration.

A directory holds ``profile.toml`` with the keys of ``[profiles.NAME]``, ``instructions.md``, ``skills/NAME/SKILL.md``,
``agents/NAME.md``, ``commands/NAME.md`` and ``files/…``; each may be missing. What the file of the configuration says of
the profile comes before what its directory says. Where there is no such file, ``profiles`` is looked for where the command
was given.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from msgspec import Struct, field
from msgspec.structs import replace

from relaykit.config.frontmatter import split_head, words
from relaykit.config.places import resolved
from relaykit.config.profile_files import read_text
from relaykit.config.toml import read_toml
from relaykit.errors import ConfigError

if TYPE_CHECKING:
    from relaykit.config.source import Source
    from relaykit.registry.problem import Place

FOLDER = "profiles"
_PARTS = ("profile.toml", "instructions.md", "skills/*/SKILL.md", "agents/*.md", "commands/*.md")
"""What makes a directory a profile: others may be called ``profiles``, too."""
_PATHS = ("instructions_file", "files_from")


class _Told(Struct):
    """What a directory says, and which of its files says it."""

    values: dict[str, Any] = field(default_factory=dict)
    origins: dict[Place, str] = field(default_factory=dict)

    def say(self, place: tuple[str, ...], value: Any, origin: Path) -> None:
        table = self.values
        for part in place[:-1]:
            table = table.setdefault(part, {})
        table[place[-1]] = value
        self.origins[place] = str(origin)


def with_directories(source: Source) -> Source:
    """Return the source with what the directories of its profiles say, where the source itself does not.

    Raises:
        ConfigError: All files of profiles that cannot be read.
    """
    said = source.tree.get("profiles", {})
    if not isinstance(said, Mapping):
        return source
    profiles, origins, problems = dict(said), dict(source.origins), list[str]()
    for name, directory in _directories(source, said):
        try:
            told = _told(directory)
        except ConfigError as error:
            problems += error.problems
            continue
        own = said.get(name, {})
        if isinstance(own, Mapping):
            profiles[name] = {**told.values, **own}
            places = {("profiles", name, *place): origin for place, origin in told.origins.items()}
            origins = {**{place: who for place, who in places.items() if place[2] not in own}, **origins}
    if problems:
        raise ConfigError(problems)
    return replace(source, tree={**source.tree, "profiles": profiles}, origins=origins) if profiles else source


def _directories(source: Source, said: Mapping[str, Any]) -> Iterator[tuple[str, Path]]:
    """Yield the profiles that have a directory: the one that they name, or the one beside the file."""
    named = set()
    for name, profile in said.items():
        path = profile.get("path") if isinstance(profile, Mapping) else None
        if isinstance(path, str) and path and "\0" not in path:
            named.add(name)
            directory = resolved(path, source.base(("profiles", name, "path")))
            if directory.is_dir():  # else the check says so
                yield name, directory
    folder = (source.file.parent if source.file else Path.cwd()) / FOLDER
    for directory in sorted(folder.iterdir()) if folder.is_dir() else ():
        if directory.name not in named and any(next(directory.glob(part), None) for part in _PARTS):
            yield directory.name, directory


def _told(directory: Path) -> _Told:
    told = _Told()
    problems = []
    if (file := directory / "profile.toml").is_file():
        for key, value in read_toml(file).items():
            told.say((key,), _absolute(key, value, directory), file)
    if (file := directory / "instructions.md").is_file():
        told.say(("instructions_file",), str(file), file)
    if skills := sorted(file.parent for file in directory.glob("skills/*/SKILL.md")):
        told.say(("skills",), [*told.values.get("skills", []), *map(str, skills)], directory / "skills")
    if (folder := directory / "files").is_dir():
        told.say(("files_from",), str(folder), folder)
    for file in sorted([*directory.glob("agents/*.md"), *directory.glob("commands/*.md")]):
        try:
            _tell_prompt(told, file)
        except ValueError as error:
            problems.append(f"{file}: {error}")
    if problems:
        raise ConfigError(problems)
    return told


def _tell_prompt(told: _Told, file: Path) -> None:
    head, prompt = split_head(read_text(file))
    about: dict[str, Any] = {"description": head.get("description", ""), "prompt": prompt.strip()}
    if file.parent.name == "commands":
        told.say(("commands", head.get("name") or file.stem), about, file)
        return
    more = {"model": head.get("model"), "tools": words(head.get("tools"))}
    about |= {key: value for key, value in more.items() if value}
    told.say(("subagents", head.get("name") or file.stem), about, file)


def _absolute(key: str, value: Any, directory: Path) -> Any:
    """Return a path of the profile's own file as it is meant: from its directory on."""
    if key in _PATHS and isinstance(value, str) and value:
        return str(resolved(value, directory))
    if key in ("skills", "plugins") and isinstance(value, list):
        return [str(resolved(path, directory)) if isinstance(path, str) else path for path in value]
    return value
