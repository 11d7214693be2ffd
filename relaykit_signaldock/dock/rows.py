"""Records of the dock's own store, as they stand in its rows."""

from __future__ import annotations

import json
from collections.abc import Sequence

from msgspec.structs import asdict

from relaykit_signaldock.dock.records import Annotation, DockAgent


def dump(record: DockAgent | Annotation) -> str:
    """Return a record as it is stored."""
    return json.dumps(asdict(record))


def agent_of(row: Sequence[str]) -> DockAgent:
    """Return the agent of a row; what an older dock did not know is as it is by default."""
    about = json.loads(row[0])
    return DockAgent(**{**about, "capabilities": tuple(about["capabilities"]), "skills": tuple(about["skills"])})
