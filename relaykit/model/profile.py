"""A profile: what several agents have in common, written once and projected to each provider in its own way."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from enum import StrEnum

from msgspec import field

from relaykit.model.permission import Approval
from relaykit.model.record import Record
from relaykit.model.secret import shown_without


class Base(StrEnum):
    """What a provider's session begins with before the profile is projected."""

    HOST = "host"
    """The user's own settings, servers and skills of that provider."""
    ISOLATED = "isolated"
    """None of them."""


class CredentialName(Record, frozen=True):
    """A value that only the credential store knows, by its name there."""

    name: str


Value = str | CredentialName
"""A value as a profile says it: in the open, or by the name of a credential."""


class ProfileFile(Record, frozen=True, kw_only=True):
    """A file that a profile brings along."""

    path: str
    """Where it goes, with ``/`` and without ``..``, below the directory that it is for."""
    content: bytes
    executable: bool = False

    def __repr__(self) -> str:
        return shown_without(self, "content")


class Skill(Record, frozen=True, kw_only=True):
    """Something that an agent can learn when it needs it: a SKILL.md, and the files that it speaks of."""

    name: str
    description: str
    files: tuple[ProfileFile, ...]


class Subagent(Record, frozen=True, kw_only=True):
    """A helper with a prompt of its own, which an agent may call in."""

    name: str
    description: str
    prompt: str
    model: str | None = None
    tools: tuple[str, ...] | None = None
    """The only tools that it may use; None is all that its agent has."""


class ProfileCommand(Record, frozen=True, kw_only=True):
    """A prompt that is asked for by its name."""

    name: str
    prompt: str
    description: str = ""


class McpServer(Record, frozen=True, kw_only=True):
    """A server of tools: a command that is started, or a URL."""

    name: str
    command: tuple[str, ...] = ()
    env: Mapping[str, Value] = field(default_factory=dict)
    cwd: str | None = None
    url: str | None = None
    headers: Mapping[str, Value] = field(default_factory=dict)
    credential: str | None = None
    """Of a URL: the credential that goes as its bearer token."""


class ProviderPlugin(Record, frozen=True, kw_only=True):
    """A plugin in one provider's own form, which others have no use for."""

    name: str
    path: str
    """Its directory, absolute; it is used where it lies."""
    manifests: tuple[str, ...]
    """Whose it is: the directories in it that hold a ``plugin.json``, such as ``.claude-plugin``."""


class Hook(Record, frozen=True, kw_only=True):
    """A command that the provider runs when something happens in a session."""

    event: str
    """As the providers call it: ``SessionStart``, ``PreToolUse``, …"""
    command: str
    matcher: str | None = None
    """Of an event about a tool: which tools, as a pattern."""
    timeout: float | None = None


class Profile(Record, frozen=True, kw_only=True):
    """What several agents may have in common."""

    name: str
    base: Base = Base.HOST
    system_prompt: str | None = None
    """In the place of the provider's own."""
    instructions: str = ""
    """Added to the system prompt."""
    instructions_file: str = ""
    """The text that the provider would read from its AGENTS.md or CLAUDE.md."""
    skills: tuple[Skill, ...] = ()
    subagents: tuple[Subagent, ...] = ()
    commands: tuple[ProfileCommand, ...] = ()
    allowed_tools: tuple[str, ...] | None = None
    """The only tools that its agents may use; None is all."""
    denied_tools: tuple[str, ...] = ()
    mcp_servers: tuple[McpServer, ...] = ()
    hooks: tuple[Hook, ...] = ()
    plugins: tuple[ProviderPlugin, ...] = ()
    needs: tuple[str, ...] = ()
    """Programs that what it brings along calls; they are looked for, never installed."""
    env: Mapping[str, Value] = field(default_factory=dict)
    files: tuple[ProfileFile, ...] = ()
    """Written into the workspace where they are absent."""
    model: str | None = None
    effort: str | None = None
    approval: Approval | None = None
    """Of agents that say none."""
    reachable_by: tuple[str, ...] | None = None
    """Addresses that may send to the agents; None is everyone."""
    in_groups: bool = True
    """Whether ``broadcast``, ``tag:`` and ``cap:`` mean the agents, too."""
    may_send_now: bool = False

    @property
    def credentials(self) -> frozenset[str]:
        """The names of the credentials that it needs."""
        values = [*self.env.values()]
        for server in self.mcp_servers:
            values += [*server.env.values(), *server.headers.values()]
        named = {value.name for value in values if isinstance(value, CredentialName)}
        return frozenset(named | {server.credential for server in self.mcp_servers if server.credential})

    def items(self) -> Iterator[str]:
        """Yield every item that it says something of, by the name that a projection reports it under."""
        for name in ("system_prompt", "instructions", "instructions_file", "allowed_tools", "denied_tools"):
            if getattr(self, name) not in (None, "", ()):
                yield name
        for name in ("skills", "subagents", "commands", "mcp_servers", "plugins"):
            yield from (f"{name}.{one.name}" for one in getattr(self, name))
        yield from (f"hooks.{event}" for event in dict.fromkeys(hook.event for hook in self.hooks))
        yield from (f"needs.{name}" for name in self.needs)
        yield from (f"env.{name}" for name in self.env)
        yield from (f"files.{file.path}" for file in self.files)
        yield from (name for name in ("model", "effort", "approval", "reachable_by") if getattr(self, name) is not None)
        yield from (
            name for name, usual in (("in_groups", True), ("may_send_now", False)) if getattr(self, name) != usual
        )
        yield "base"


class ProjectionState(StrEnum):
    """What became of an item of a profile."""

    PROJECTED = "projected"
    PARTLY = "partly"
    CANNOT = "cannot"


class Projection(Record, frozen=True, kw_only=True):
    """One item of a profile, and what a provider makes of it."""

    item: str
    """As ``Profile.items`` names it."""
    state: ProjectionState
    how: str
    """How it is projected, or why it cannot be or not wholly: one line."""


def projected(item: str, how: str) -> Projection:
    """Say that an item is projected, and how."""
    return Projection(item=item, state=ProjectionState.PROJECTED, how=how)


def partly(item: str, how: str) -> Projection:
    """Say what of an item is projected, and what is not."""
    return Projection(item=item, state=ProjectionState.PARTLY, how=how)


def cannot(item: str, why: str) -> Projection:
    """Say why an item is not projected."""
    return Projection(item=item, state=ProjectionState.CANNOT, how=why)
