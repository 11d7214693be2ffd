"""What the records of the model have in common."""

from __future__ import annotations

from msgspec import Struct


class Record(Struct, frozen=True, omit_defaults=True, gc=False):
    """A value that never changes. Written as JSON, what stands at its default is left out."""
