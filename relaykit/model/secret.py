"""A value that must not be seen."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from msgspec import Struct

CREDENTIAL_PREFIX = "RELAYKIT_CREDENTIAL_"
"""Begins the variables that the credential store ``env`` reads, where its option says no other."""


def without_credentials(environ: Mapping[str, str]) -> dict[str, str]:
    """Return an environment as an agent's processes may have it: without the credentials of everyone else."""
    return {name: value for name, value in environ.items() if not name.startswith(CREDENTIAL_PREFIX)}


def shown_without(record: Struct, *names: str) -> str:
    """Return a record's repr without the fields that nobody is to see, or that are too long to be looked at."""
    fields = (name for name in record.__struct_fields__ if name not in names)
    return f"{type(record).__name__}({', '.join(f'{name}={getattr(record, name)!r}' for name in fields)})"


class Secret:
    """A value whose repr, str and format are a mask; ``reveal()`` at the place of use alone."""

    __slots__ = ("_value",)

    def __init__(self, value: str) -> None:
        self._value = value

    def reveal(self) -> str:
        """Return the value itself."""
        return self._value

    def __repr__(self) -> str:
        return "Secret('***')"

    __str__ = __repr__

    def __format__(self, spec: str) -> str:
        return format("***", spec)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Secret) and other._value == self._value

    def __hash__(self) -> int:
        return hash(self._value)

    def __reduce__(self) -> str:
        raise TypeError("a secret is not pickled or copied")
