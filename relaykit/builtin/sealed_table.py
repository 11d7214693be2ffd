"""The file of the credential store ``file``: a table of sealed entries, each bound to its name and its version."""

from __future__ import annotations

import base64
import json
from typing import TYPE_CHECKING, Any

from msgspec import Struct, field

from relaykit.errors import CredentialError

if TYPE_CHECKING:
    from pathlib import Path

FORMAT = 1


class Entry(Struct, frozen=True):
    """One sealed credential."""

    version: int
    """Counts the changes of this name, so that no box of an earlier one passes for a later."""
    box: bytes

    def bound(self, name: str) -> bytes:
        """Return what the box is bound to."""
        return bound(name, self.version)


class Table(Struct, frozen=True):
    """What the file says."""

    key: int = 0
    """The number of the machine key that all entries are sealed with; 0 where there never was one."""
    entries: dict[str, Entry] = field(default_factory=dict)
    versions: dict[str, int] = field(default_factory=dict)
    """The last version of every name that there ever was: one that is set anew goes on counting."""

    def with_entry(self, name: str, entry: Entry) -> Table:
        """Return the table with one entry set."""
        return Table(self.key, {**self.entries, name: entry}, {**self.versions, name: entry.version})

    def without(self, name: str) -> Table:
        """Return the table without one entry."""
        return Table(self.key, {other: entry for other, entry in self.entries.items() if other != name}, self.versions)


def bound(name: str, version: int) -> bytes:
    """Return what the box of that name and version is bound to."""
    return f"relaykit credential\0{FORMAT}\0{name}\0{version}".encode()


def written(table: Table) -> bytes:
    """Return the table as bytes."""
    entries = {
        name: {"version": entry.version, "box": base64.b64encode(entry.box).decode()}
        for name, entry in sorted(table.entries.items())
    }
    document = {"format": FORMAT, "key": table.key, "versions": table.versions, "entries": entries}
    return (json.dumps(document, indent=1) + "\n").encode()


def read(path: Path, data: bytes | None) -> Table:
    """Return the table that was written; an empty one where there is no file. CredentialError."""
    if data is None:
        return Table()
    try:
        document: dict[str, Any] = json.loads(data)
        form = int(document["format"])
        if form > FORMAT:
            raise CredentialError(f"{path}: it was written by a newer relaykit (format {form}); upgrade this one")
        entries = {
            name: Entry(int(entry["version"]), base64.b64decode(entry["box"], validate=True))
            for name, entry in document["entries"].items()
        }
        versions = {name: int(version) for name, version in document["versions"].items()}
        return Table(int(document["key"]), entries, versions)
    except (ValueError, KeyError, TypeError, AttributeError):
        raise CredentialError(f"{path}: it is damaged; put it back from a backup, or move it away") from None
