"""RELAYKIT_TRACE_PLUGINS=1: every hook call, who implements it and what it returned."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from typing import TextIO

    import pluggy


def trace_hooks(manager: pluggy.PluginManager, out: TextIO) -> None:
    """Write every hook call from now on, its implementations and their results."""

    def before(_hook: str, _impls: Sequence[pluggy.HookImpl], _arguments: Mapping[str, Any]) -> None:
        return

    def after(
        outcome: pluggy.Result[Any], hook: str, impls: Sequence[pluggy.HookImpl], _arguments: Mapping[str, Any]
    ) -> None:
        if impls:
            out.write(f"{hook}() of {', '.join(impl.plugin_name for impl in impls)}: {_told(outcome)}\n")

    manager.add_hookcall_monitoring(before, after)


def _told(outcome: pluggy.Result[Any]) -> str:
    if outcome.exception is not None:
        return f"raised {outcome.exception!r}"
    return ", ".join(map(_named, outcome.get_result())) or "nothing"


def _named(result: object) -> str:
    """Name what a hook returned; a generator is left for its reader."""
    if not isinstance(result, (list, tuple)):
        return f"a {type(result).__name__}"
    return "[" + ", ".join(str(getattr(item, "name", item)) for item in result) + "]"
