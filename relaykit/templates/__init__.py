"""What ``relaykit new`` writes: the project's own examples under another name."""

from __future__ import annotations

import re
from importlib.resources import files
from pathlib import Path

from relaykit.errors import UsageError

_NAME = re.compile(r"[a-z][a-z0-9]*([_-][a-z0-9]+)*")
_TAKEN = frozenset({"claude", "codex", "echo", "exec", "signaldock"})
_EXAMPLE = "parrot"


def write_provider(name: str, directory: Path) -> list[Path]:
    """Write a provider's distribution: the module, its ``pyproject.toml``, its test. Nothing is overwritten.

    Args:
        name: What configurations will call the provider.
        directory: Where the files go; it is made where it is missing.

    Returns:
        The files written.

    Raises:
        UsageError: The name cannot be one, or a file is there already, and nothing was written; or the directory cannot be
            written to.
    """
    _check(name)
    texts = {directory / target: _named(template, name) for target, template in _targets(name).items()}
    if present := [str(path) for path in texts if path.exists()]:
        raise UsageError(f"{', '.join(present)} is there already; choose another directory or name")
    try:
        directory.mkdir(parents=True, exist_ok=True)
        for path, text in texts.items():
            path.write_text(text, encoding="utf-8")
    except OSError as error:
        raise UsageError(
            f"{error.filename}: it cannot be written ({error.strerror}); choose another directory"
        ) from error
    return list(texts)


def _check(name: str) -> None:
    if not _NAME.fullmatch(name):
        raise UsageError(f"{name!r} cannot be a provider's name; use lower-case letters, digits and single hyphens")
    if name in _TAKEN:
        raise UsageError(f"{name!r} is the name of a provider that there is already; choose another")


def _targets(name: str) -> dict[str, str]:
    word = _identifier(name)
    return {
        f"relaykit_{word}.py": "module.py.txt",
        "pyproject.toml": "pyproject.toml.txt",
        f"test_{word}.py": "test.py.txt",
    }


def _named(template: str, name: str) -> str:
    """Return the example with the name in place of its own, in each of the forms that a name takes."""
    text = (files(__name__) / "provider" / template).read_text(encoding="utf-8")
    word = _identifier(name)
    forms = {
        f"_{_EXAMPLE}": f"_{word}",
        _EXAMPLE.capitalize(): "".join(part.capitalize() for part in word.split("_")),
        _EXAMPLE: name,
    }
    for old, new in forms.items():
        text = text.replace(old, new)
    return text


def _identifier(name: str) -> str:
    return name.replace("-", "_")
