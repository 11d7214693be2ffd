"""What a credential store keeps under a name."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from msgspec import field
from msgspec.structs import replace

from relaykit.model.record import Record
from relaykit.model.secret import Secret


class Credential(Record, frozen=True, kw_only=True):
    """A secret, and what belongs to it in the open: a plain secret has no fields."""

    secret: Secret
    kind: str = ""
    """Whose record it is, such as ``signaldock``: that plugin knows the schema of its fields. Empty: a plain secret."""
    fields: Mapping[str, Any] = field(default_factory=dict)
    """What is no secret: names, addresses, options."""
    since: float = 0.0
    """Wall-clock seconds at which this secret came to be: its true age, whatever else was changed."""
    rotation: str | None = None
    """The id of a rotation that was begun; recorded before the other side is asked for a new secret."""
    pending: Secret | None = None
    """The new secret of that rotation, until it has been seen to work; the old one stays beside it."""

    def rotating(self, rotation: str) -> Credential:
        """Return it with the intention to rotate; one that is under way goes on under its own id."""
        return self if self.rotation else replace(self, rotation=rotation)

    def promised(self, secret: Secret) -> Credential:
        """Return it with the new secret beside the old one."""
        return replace(self, pending=secret)

    def promoted(self, now: float) -> Credential:
        """Return it with the new secret in the place of the old one."""
        return replace(self, secret=self.pending or self.secret, since=now, rotation=None, pending=None)

    def as_before(self) -> Credential:
        """Return it without the rotation that was begun."""
        return replace(self, rotation=None, pending=None)


class CredentialInfo(Record, frozen=True, kw_only=True):
    """What may be shown of a credential."""

    name: str
    kind: str = ""
    fields: Mapping[str, Any] = field(default_factory=dict)
    since: float | None = None
    """When its secret came to be; None where the store does not know."""
    used_at: float | None = None
    """When something last signed in with it."""
    rotating: bool = False
