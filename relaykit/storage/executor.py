"""Running operations on a store from an event loop."""

from __future__ import annotations

from collections.abc import Callable
from typing import Concatenate, ParamSpec, Protocol, TypeVar

T_co = TypeVar("T_co", covariant=True)
P = ParamSpec("P")
R = TypeVar("R")

BRIEF = 64 * 1024
"""Characters that a brief operation stores at most, in about a millisecond."""


class Executor(Protocol[T_co]):
    """Runs operations, each a transaction, in the order in which they were asked for."""

    async def run(self, operation: Callable[Concatenate[T_co, P], R], *args: P.args, **kwargs: P.kwargs) -> R:
        """Run an operation; when this returns, what it wrote survives the death of the process.

        A caller that is cancelled may find the operation done or not; it is never half done.
        """
        ...

    async def run_brief(self, operation: Callable[Concatenate[T_co, P], R], *args: P.args, **kwargs: P.kwargs) -> R:
        """Run an operation as ``run`` does that reads and writes a few rows, and calls nothing that might wait."""
        ...

    async def run_synced(self, operation: Callable[Concatenate[T_co, P], R], *args: P.args, **kwargs: P.kwargs) -> R:
        """Run an operation; when this returns, what it wrote also survives loss of power."""
        ...
