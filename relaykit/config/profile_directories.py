"""Profiles that are directories, told in the words of the configuration.

A directory holds ``profile.toml`` with the keys of ``[profiles.NAME]``, ``instructions.md``, ``skills/NAME/SKILL.md``,
``agents/NAME.md``, ``commands/NAME.md`` and ``files/…``; each may be missing. What the file of the configuration says of
the profile comes before what its directory says, of the tables in it name by name. Where there is no such file, ``profiles`` is looked for where the command
was given.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from msgspec import Struct, field
from msgspec.structs import replace

from relaykit.config.frontmatter import split_head, text_of, words
from relaykit.config.places import resolved
from relaykit.config.profile_files import read_text
from relaykit.config.toml import read_toml
from relaykit.errors import ConfigError
from relaykit.registry.problem import Place, dotted

if TYPE_CHECKING:
    from relaykit.config.source import Source

FOLDER = "profiles"
_PARTS = ("profile.toml", "instructions.md", "skills/*/SKILL.md", "agents/*.md", "commands/*.md")
"""What makes a directory a profile: others may be called ``profiles``, too."""
_PATHS = ("instructions_file", "files_from")
_TABLES = ("subagents", "commands", "env", "mcp_servers", "files")
"""Of these each entry stands for itself: the configuration has some, and the directory others."""
_HEADS = {"agents": ("name", "description", "model", "tools"), "commands": ("name", "description")}
"""What a prompt's head may say, by its folder."""
_PAINT = ("color", "argument-hint")
"""What it may say to the menus of a provider's own terminal program, which a relay has no part in."""


class _Told(Struct):
    """What a directory says, and which of its files says it."""

    values: dict[str, Any] = field(default_factory=dict)
    origins: dict[Place, str] = field(default_factory=dict)

    def say(self, place: tuple[str, ...], value: Any, origin: Path) -> None:
        """Take down what a file says; ValueError where another said the same, which would be lost."""
        if place in self.origins:
            raise ValueError(f"{dotted(place)} stands in {self.origins[place]}, too; leave one of them out")
        table = self.values
        for part in place[:-1]:
            table = table.setdefault(part, {})
        if isinstance(table, dict):  # else the check says so
            table[place[-1]] = value
            self.origins[place] = str(origin)

    def beside(self, own: Mapping[str, Any]) -> dict[str, Any]:
        """Return what the configuration says, and of this what it leaves."""
        tables = {key: {**self.values[key], **own[key]} for key in _TABLES if _is_in_both(key, self.values, own)}
        return {**self.values, **own, **tables}

    def left(self, own: Mapping[str, Any]) -> dict[Place, str]:
        """Return whose each value is that the configuration leaves."""
        return {place: origin for place, origin in self.origins.items() if _is_left(place, own)}


def _is_in_both(key: str, one: Mapping[str, Any], other: Mapping[str, Any]) -> bool:
    return isinstance(one.get(key), Mapping) and isinstance(other.get(key), Mapping)


def _is_left(place: Place, own: Mapping[str, Any]) -> bool:
    if place[0] not in own:
        return True
    said = own[str(place[0])]
    return len(place) > 1 and isinstance(said, Mapping) and place[1] not in said


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
            profiles[name] = told.beside(own)
            origins = {**{("profiles", name, *place): who for place, who in told.left(own).items()}, **origins}
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
    folder = (source.file.parent if source.file else Path()) / FOLDER
    for directory in sorted(folder.iterdir()) if folder.is_dir() else ():
        if directory.name not in named and any(next(directory.glob(part), None) for part in _PARTS):
            yield directory.name, directory.absolute()


def _told(directory: Path) -> _Told:
    told = _Told()
    problems = []
    for path, tell in _parts(directory):
        try:
            tell(told, path)
        except ValueError as error:
            problems.append(f"{path}: {error}")
    if problems:
        raise ConfigError(problems)
    return told


def _parts(directory: Path) -> Iterator[tuple[Path, Callable[[_Told, Path], None]]]:
    """Yield what is there of a profile, and who tells of it."""
    for name, tell in _FILES.items():
        if (path := directory / name).exists():
            yield path, tell
    for file in sorted([*directory.glob("agents/*.md"), *directory.glob("commands/*.md")]):
        yield file, _tell_prompt


def _tell_keys(told: _Told, file: Path) -> None:
    for key, value in read_toml(file).items():
        meant = _absolute(key, value, file.parent)
        if key in _TABLES and isinstance(meant, dict):
            for name, entry in meant.items():
                told.say((key, name), entry, file)
        else:
            told.say((key,), meant, file)


def _tell_instructions(told: _Told, file: Path) -> None:
    told.say(("instructions_file",), str(file), file)


def _tell_skills(told: _Told, folder: Path) -> None:
    listed, found = told.values.get("skills", []), sorted(file.parent for file in folder.glob("*/SKILL.md"))
    if found and isinstance(listed, list):  # else the check says so
        told.values["skills"] = [*listed, *map(str, found)]
        told.origins["skills",] = str(folder)


def _tell_files(told: _Told, folder: Path) -> None:
    told.say(("files_from",), str(folder), folder)


_FILES = {
    "profile.toml": _tell_keys,
    "instructions.md": _tell_instructions,
    "skills": _tell_skills,
    "files": _tell_files,
}


def _tell_prompt(told: _Told, file: Path) -> None:
    head, prompt = split_head(read_text(file))
    known = _HEADS[file.parent.name]
    if strange := [key for key in head if key not in (*known, *_PAINT)]:
        raise ValueError(
            f"{', '.join(map(repr, strange))} in its head would be lost, where {', '.join(known)} can stand; leave it out, "
            "or bring the file along in a plugin of the provider's own form (`plugins`)"
        )
    about: dict[str, Any] = {"description": text_of(head, "description"), "prompt": prompt.strip()}
    if model := text_of(head, "model"):
        about["model"] = model
    if (tools := words(head.get("tools"))) is not None:
        about["tools"] = tools
    kind = "subagents" if file.parent.name == "agents" else "commands"
    told.say((kind, text_of(head, "name") or file.stem), about, file)


def _absolute(key: str, value: Any, directory: Path) -> Any:
    """Return a path of the profile's own file as it is meant: from its directory on."""
    if key in _PATHS and isinstance(value, str) and value:
        return str(resolved(value, directory))
    if key in ("skills", "plugins") and isinstance(value, list):
        return [str(resolved(path, directory)) if isinstance(path, str) else path for path in value]
    return value
