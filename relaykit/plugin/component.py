"""The component: a named, configurable thing that a plugin offers."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from msgspec import Struct, field

if TYPE_CHECKING:
    from relaykit.model import Profile, Projection
    from relaykit.plugin.context import Context

API = 1
"""Version of the contract between core and plugins; raised only by a breaking change."""

Projects = Callable[["Profile", Mapping[str, Any]], "Sequence[Projection]"]
"""Pure: takes a profile and the provider's options, returns what becomes of each item of the profile."""

T_co = TypeVar("T_co", covariant=True)


class Component(Struct, Generic[T_co], frozen=True, kw_only=True):
    """A named, configurable thing that a plugin offers."""

    name: str
    """What the configuration calls it."""
    summary: str
    """One line, for ``relaykit plugins``."""
    open: Callable[[Mapping[str, Any], Context], AbstractAsyncContextManager[T_co]]
    """Called once per configured use, with options that fit the schema.

    Yields the running object; leaving the context stops it. Import what is heavy in here.
    """
    options_schema: Mapping[str, Any] = field(default_factory=lambda: {"type": "object", "additionalProperties": False})
    """JSON Schema of the options. An option that names a credential has ``"format": "credential"``."""
    check: Callable[[Mapping[str, Any]], str] | None = None
    """For ``relaykit doctor``, and of a sink for ``config check`` and ``run``, too: says in one line what it found of
    what the component needs on this machine, given its options; raises RelaykitError with the remedy where something is
    missing. Quick, changes nothing."""
    projects: Projects | None = None
    """Of a provider: what it makes of a profile. Without it the provider makes nothing of any."""
    api: int = API


class CliCommand(Struct, frozen=True, kw_only=True):
    """A command that a plugin adds to ``relaykit``."""

    name: str
    summary: str
    target: str
    """``module:function``; imported only when the command is used. The function takes the words after the command's
    name and returns its exit code, with whatever library it reads them; RelaykitError is told in one line."""
    lent: bool = False
    """Whether the function takes a ``Lent``, too: the mailbox, and what else the core has for a command."""
