"""The text of a systemd unit for a relay or a dock."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence

from msgspec import Struct, field

from relaykit.errors import UsageError

Section = Sequence[tuple[str, str]]


class Unit(Struct, frozen=True, kw_only=True):
    """What a unit says."""

    name: str
    description: str
    argv: Sequence[str]
    home: str
    """Of the relay or dock."""
    keeps_home: bool = False
    """Whether systemd makes the home, which then is ``/var/lib/relaykit``."""
    runs_agents: bool
    outlived: bool = False
    """Whether agents are configured to outlive it."""
    user: str | None = None
    """Whom a unit of the system runs as; None is a unit of the user's own."""
    directory: str | None = None
    environment: Mapping[str, str] = field(default_factory=dict)
    stop_seconds: float

    def text(self) -> str:
        """Return the unit, as its file holds it.

        Raises:
            UsageError: A value cannot stand in a unit.
        """
        sections = {"Unit": self._about(), "Service": [*self._service()], "Install": self._install()}
        return "\n".join(_section(name, lines) for name, lines in sections.items())

    def _about(self) -> Section:
        network = [] if self.user is None else [("Wants", "network-online.target"), ("After", "network-online.target")]
        # Five deaths within five minutes are no accident; a person has to look.
        return [
            ("Description", _plain(self.description)),
            *network,
            ("StartLimitIntervalSec", "300"),
            ("StartLimitBurst", "5"),
        ]

    def _service(self) -> Iterator[tuple[str, str]]:
        yield "Type", "exec"
        yield "ExecStart", " ".join(_argument(word) for word in self.argv)
        if self.user is not None:
            yield "User", _plain(self.user)
        if self.directory is not None:
            yield "WorkingDirectory", _plain(self.directory)
        if self.keeps_home:
            yield from (("StateDirectory", "relaykit"), ("StateDirectoryMode", "0700"))
        for name, value in {"RELAYKIT_HOME": self.home, **self.environment}.items():
            yield "Environment", _quoted(f"{name}={value}")
        yield "EnvironmentFile", f"-%E/relaykit/{self.name}.env"
        yield "Restart", "on-failure"
        yield "RestartSec", "5"
        yield "RestartPreventExitStatus", "2"
        yield "KillMode", "process" if self.outlived else "mixed"
        yield "TimeoutStopSec", f"{self.stop_seconds:g}"
        yield from _EVERY
        yield from self._hardened()

    def _hardened(self) -> Section:
        if self.runs_agents:
            return [] if self.user is None else _AGENTS_OF_THE_SYSTEM
        if self.user is None:
            return _DOCK
        return [*_DOCK, *_DOCK_OF_THE_SYSTEM, *([] if self.keeps_home else [("ReadWritePaths", _quoted(self.home))])]

    def _install(self) -> Section:
        return [("WantedBy", "default.target" if self.user is None else "multi-user.target")]


_BARE = re.compile(r"[A-Za-z0-9_=:,./@+-]+")
_EVERY: Section = (("NoNewPrivileges", "yes"), ("RestrictSUIDSGID", "yes"), ("LockPersonality", "yes"))
_AGENTS_OF_THE_SYSTEM: Section = (
    ("ProtectSystem", "full"),
    ("ProtectClock", "yes"),
    ("ProtectHostname", "yes"),
    ("ProtectKernelModules", "yes"),
    ("ProtectControlGroups", "yes"),
)
"""No more: an agent's own sandbox makes namespaces and mounts a /proc in them, and its work may be anything."""
_DOCK: Section = (
    ("UMask", "0077"),
    ("MemoryDenyWriteExecute", "yes"),
    ("RestrictRealtime", "yes"),
    ("RestrictNamespaces", "yes"),
    ("RestrictAddressFamilies", "AF_INET AF_INET6 AF_UNIX"),
    ("SystemCallArchitectures", "native"),
    ("SystemCallFilter", "@system-service"),
    ("SystemCallErrorNumber", "EPERM"),
)
"""What needs no namespace of its own, and so holds for the user's manager, too."""
_DOCK_OF_THE_SYSTEM: Section = (
    ("CapabilityBoundingSet", ""),
    ("ProtectSystem", "strict"),
    ("ProtectHome", "read-only"),
    ("PrivateTmp", "yes"),
    ("PrivateDevices", "yes"),
    ("ProtectProc", "invisible"),
    ("ProtectClock", "yes"),
    ("ProtectHostname", "yes"),
    ("ProtectKernelLogs", "yes"),
    ("ProtectKernelModules", "yes"),
    ("ProtectKernelTunables", "yes"),
    ("ProtectControlGroups", "yes"),
)


def _section(name: str, lines: Section) -> str:
    return f"[{name}]\n" + "".join(f"{key}={value}\n" for key, value in lines)


def _plain(text: str) -> str:
    if not text.isprintable():
        raise UsageError(
            f"{text!r} cannot stand in a unit of systemd: it has characters that end a line or do not show"
        )
    return text.replace("%", "%%")


def _quoted(text: str) -> str:
    if _BARE.fullmatch(text):
        return text
    escaped = _plain(text).replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


def _argument(text: str) -> str:
    """Return a word of a command line, in which a dollar sign would name a variable."""
    return _quoted(text).replace("$", "$$")
