"""``relaykit doctor``: is this machine, and the relay's home, as it must be?"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from relaykit.cli.calling import examples
from relaykit.cli.checks import findings
from relaykit.cli.finding import Level
from relaykit.cli.home import home
from relaykit.cli.options import Json
from relaykit.cli.output import painted, plain, say, say_json
from relaykit.config.places import default_home, resolved
from relaykit.errors import RelaykitError

if TYPE_CHECKING:
    from pathlib import Path

    from relaykit.cli.finding import Finding

_COLOURS = {Level.OK: "green", Level.WARN: "yellow", Level.FAIL: "red"}


@examples("relaykit doctor", "relaykit doctor --json")
def doctor(json: Json = False) -> int:
    """Check this machine, the relay's home, the plugins and the configuration; say what to mend.

    Ends with 1 where something fails, with 0 where there are warnings at most. Nothing is changed.
    """
    directory = _home()
    found = list(findings(directory))
    failed = any(finding.level is Level.FAIL for finding in found)
    if json:
        checks = [
            {"check": one.name, "level": one.level.value, "text": one.text, "remedy": one.remedy} for one in found
        ]
        say_json({"ok": not failed, "home": str(directory), "checks": checks})
    else:
        for finding in found:
            _say(finding)
    return 1 if failed else 0


def _home() -> Path:
    """Return the home; of a configuration that cannot be read, which a check tells, the one that holds without it."""
    try:
        return home()
    except (RelaykitError, OSError):
        said = os.environ.get("RELAYKIT_HOME")
        return resolved(said, None) if said else default_home()


def _say(finding: Finding) -> None:
    say(f"{painted(f'{finding.level.value:<4}', _COLOURS[finding.level])}  {finding.name:<12} {plain(finding.text)}")
    if finding.remedy:
        say(f"{'':<20}{plain(finding.remedy)}")
