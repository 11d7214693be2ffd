"""What was said, by whom: file, environment and options as one tree that remembers where each value comes from."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from msgspec import Struct, field
from msgspec.structs import replace

from relaykit.config import places
from relaykit.config.toml import is_deep
from relaykit.errors import ConfigError
from relaykit.registry.problem import Place, Problem, dotted

DEFAULT = "default"


class Setting(Struct, frozen=True, kw_only=True):
    """One value, and who said it."""

    path: Place
    value: Any
    origin: str
    """``default``, the file, an environment variable or an option."""


class Source(Struct, frozen=True, kw_only=True):
    """All that was said, unchecked."""

    tree: Mapping[str, Any] = field(default_factory=dict)
    origins: Mapping[Place, str] = field(default_factory=dict)
    """Who said each value, in the order in which it was said."""
    file: Path | None = None
    only: tuple[str, ...] | None = None
    """The plugins that RELAYKIT_PLUGINS names."""
    agent: str | None = None
    """The one agent that is to run; None is all of them."""

    def origin(self, path: Place) -> str:
        """Return who said the value at a path, or the first one below it; ``default`` where nobody did."""
        for size in range(len(path), 0, -1):
            if origin := self.origins.get(path[:size]):
                return origin
        return next((origin for place, origin in self.origins.items() if place[: len(path)] == path), DEFAULT)

    def base(self, path: Place) -> Path | None:
        """Return where a relative path begins: beside the file that says it; None is where the command was given."""
        return self.file.parent if self.file is not None and self.origin(path) == str(self.file) else None

    def line(self, problem: Problem) -> str:
        """Return a problem with its file, variable or option in front."""
        # Who says nothing of it may have said what it belongs to: an agent that only options name is in no file.
        sizes = range(len(problem.path), 1, -1)
        origins = (self.origin(problem.path[:size]) for size in (sizes or (len(problem.path),)))
        origin = next((origin for origin in origins if origin != DEFAULT), self.file or "configuration")
        return f"{origin}: {problem}"

    def including(self, settings: Iterable[Setting]) -> Source:
        """Return the same with more said, which wins."""
        tree, origins = _copied(self.tree), dict(self.origins)
        for setting in settings:
            if is_deep(setting.value):
                raise ConfigError(f"{setting.origin}: {dotted(setting.path)}: nested too deeply")
            if _put(tree, setting.path, setting.value):
                origins[setting.path] = setting.origin
        return replace(self, tree=tree, origins=origins)

    @property
    def home(self) -> Path:
        """The relay's home; the platform's state directory where nobody says another."""
        relay = self.tree.get("relay")
        said = relay.get("home") if isinstance(relay, dict) else None
        if isinstance(said, str) and said:
            return places.resolved(said, self.base(("relay", "home")))
        return places.default_home()


def _copied(tree: Mapping[str, Any]) -> dict[str, Any]:
    return {key: _copied(value) if isinstance(value, dict) else value for key, value in tree.items()}


def _put(tree: dict[str, Any], path: Place, value: object) -> bool:
    """Put a value in; not where something that is no table stands on the way, which the check will name."""
    for part in path[:-1]:
        tree = tree.setdefault(str(part), {})
        if not isinstance(tree, dict):
            return False
    tree[str(path[-1])] = value
    return True
