"""What a profile keeps in files: skills, and the files of a workspace, read whole and within bounds."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path, PurePosixPath

from relaykit.config.frontmatter import split_head, text_of
from relaykit.model import NAME, ProfileFile, ProviderPlugin, Skill

MOST_FILES = 500
MOST_BYTES = 16 * 2**20
_SKILL, _MANIFEST = "SKILL.md", "plugin.json"


def read_skill(directory: Path) -> Skill:
    """Return the skill that a directory holds.

    Raises:
        ValueError: There is none in it, or it cannot be taken along; in words.
    """
    if not (directory / _SKILL).is_file():
        raise ValueError(f"{directory} holds no {_SKILL}")
    head, _ = split_head(read_text(directory / _SKILL))
    name = text_of(head, "name") or directory.name
    if not NAME.fullmatch(name):
        raise ValueError(f"{directory / _SKILL}: {name!r} is no name of a skill")
    return Skill(name=name, description=text_of(head, "description"), files=read_files(directory))


def read_plugin(directory: Path) -> ProviderPlugin:
    """Return the plugin of a provider's own that a directory holds; ValueError where it holds none."""
    manifests = tuple(sorted(file.parent.name for file in directory.glob(f".*/{_MANIFEST}")))
    if not manifests:
        raise ValueError(f"{directory} holds no plugin: no directory in it, such as .claude-plugin, has a {_MANIFEST}")
    return ProviderPlugin(name=directory.name, path=str(directory.resolve()), manifests=manifests)


def read_files(directory: Path) -> tuple[ProfileFile, ...]:
    """Return the files below a directory, in the order of their paths.

    Raises:
        ValueError: They are too many or too large, cannot be read, or one is a link to a directory or out of this one.
    """
    if not directory.is_dir():
        raise ValueError(f"{directory} is no directory")
    found: list[ProfileFile] = []
    size = 0
    for path in _below(directory):
        size += path.stat().st_size
        if len(found) == MOST_FILES or size > MOST_BYTES:
            raise ValueError(f"{directory} has more than {MOST_FILES} files or {MOST_BYTES // 2**20} MiB")
        found.append(
            ProfileFile(
                path=path.relative_to(directory).as_posix(),
                content=_read(path),
                executable=os.access(path, os.X_OK),
            )
        )
    return tuple(found)


def read_text(path: Path) -> str:
    """Return the text of a file; ValueError where it cannot be read, or is none."""
    try:
        return _read(path).decode()
    except UnicodeDecodeError as error:
        raise ValueError(f"{path}: byte {error.start} is not UTF-8") from error


def unsafe(path: str) -> str | None:
    """Return why a file of the workspace cannot have that path, if it cannot."""
    parts = PurePosixPath(path).parts
    if not parts or path.endswith("/") or "\0" in path:
        return "is no path of a file"
    if path.startswith("/") or ".." in parts:
        return "leads out of the workspace"
    return None


def _below(directory: Path) -> Iterator[Path]:
    root = directory.resolve()
    for path in sorted(directory.rglob("*")):
        if path.is_symlink() and path.is_dir():
            raise ValueError(f"{path} is a link to a directory, which cannot be taken along; put its files there")
        if path.is_file():
            if not path.resolve().is_relative_to(root):
                raise ValueError(f"{path} is a link out of {directory}")
            yield path


def _read(path: Path) -> bytes:
    try:
        if path.stat().st_size > MOST_BYTES:
            raise ValueError(f"{path} has more than {MOST_BYTES // 2**20} MiB")
        return path.read_bytes()
    except OSError as error:
        raise ValueError(f"{path} cannot be read: {error.strerror}") from error
