"""Find plugins by their entry points, without importing any."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence

from msgspec import Struct

from relaykit.errors import PluginError
from relaykit.plugin import PROJECT
from relaykit.registry.installed import Installed, installed


class Found(Struct, frozen=True, kw_only=True):
    """A plugin that is installed; nothing of it is imported."""

    name: str
    """The name of its entry point."""
    target: str
    """``module`` or ``module:object``."""
    distribution: str
    version: str

    @property
    def origin(self) -> str:
        """Distribution and version, to know whom to ask."""
        return f"{self.distribution} {self.version}".strip()

    @property
    def blamed(self) -> str:
        """The plugin as messages name it."""
        return f"{self.name!r} ({self.origin})" if self.origin else repr(self.name)

    @property
    def is_builtin(self) -> bool:
        """Whether it comes with relaykit itself."""
        return self.distribution == PROJECT

    @property
    def is_needed(self) -> bool:
        """Whether it has what is in every configuration: the transport ``local``, the router ``address``."""
        return self.is_builtin and self.name == "builtin"


def discover() -> list[Found]:
    """Return the installed plugins in the order of their names.

    Raises:
        PluginError: Two distributions offer different plugins under one name.
    """
    points = installed(PROJECT)
    if points is None:
        points = _any_form(PROJECT)
    return unique(
        Found(name=name, target=target, distribution=distribution, version=version)
        for name, target, distribution, version in points
    )


def unique(plugins: Iterable[Found]) -> list[Found]:
    """Return the plugins by name; the same one found twice is one, two different ones are refused."""
    kept: dict[str, Found] = {}
    for plugin in sorted(plugins, key=lambda found: (found.name, found.distribution)):
        other = kept.setdefault(plugin.name, plugin)
        if other.target != plugin.target:
            raise PluginError(
                f"two distributions offer a plugin called {plugin.name!r}: "
                f"{other.origin} and {plugin.origin}; uninstall one"
            )
    return list(kept.values())


def chosen(plugins: Sequence[Found], disabled: Collection[str], only: Collection[str] | None) -> set[str]:
    """Return the names of the plugins to be loaded.

    Args:
        plugins: Those that are installed.
        disabled: Names that are left out, whatever else is said; not that of the one which everything needs.
        only: If given, just these and the built-in ones.

    Raises:
        PluginError: A name in ``only`` is not installed.
    """
    if only is not None and (missing := sorted(set(only) - {plugin.name for plugin in plugins})):
        installed = ", ".join(plugin.name for plugin in plugins) or "none"
        raise PluginError(f"RELAYKIT_PLUGINS: no plugin is called {missing[0]!r}; installed: {installed}")
    wanted = {plugin.name for plugin in plugins if only is None or plugin.is_builtin or plugin.name in only}
    return (wanted - set(disabled)) | {plugin.name for plugin in plugins if plugin.is_needed}


def _any_form(group: str) -> list[Installed]:
    """Return a group's entry points wherever the standard library finds any."""
    from importlib.metadata import entry_points  # noqa: PLC0415 - see installed.py

    about = ((point, point.dist) for point in entry_points(group=group))
    return [
        Installed(one.name, one.value, dist.name if dist else "", dist.version if dist else "") for one, dist in about
    ]
