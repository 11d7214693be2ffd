"""A checked tree as records."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from relaykit.config.assembly import NAMED_USES
from relaykit.config.places import here, resolved
from relaykit.config.profiles import build_profile
from relaykit.config.records import AgentConfig, Config, PluginsConfig, Retention, UseConfig
from relaykit.config.sections import ALIASES
from relaykit.config.source import DEFAULT
from relaykit.model import Approval, Limits, Priority, Profile
from relaykit.registry.problem import dotted

if TYPE_CHECKING:
    from relaykit.config.source import Source
    from relaykit.registry import Registry
    from relaykit.registry.problem import Place

Tree = Mapping[str, Any]


def build(source: Source, tree: Tree, registry: Registry) -> Config:
    """Return the records of a tree that fits the schema and breaks no rule."""
    profiles = {name: build_profile(source, name, said) for name, said in tree.get("profiles", {}).items()}
    relay = tree.get("relay", {})
    agents = (
        _agent(source, name, said, profiles.get(said.get("profile", "")), registry)
        for name, said in tree.get("agents", {}).items()
        if source.agent in (None, name)
    )
    return Config(
        home=source.home,
        agents=tuple(agents),
        profiles=profiles,
        transports=_uses(tree, "transports"),
        routers=_uses(tree, "routers"),
        sinks=_uses(tree, "sinks"),
        origins=_origins(source, tree),
        credentials=_use("credentials", tree["credentials"]),
        mailbox=_use("mailbox", tree["mailbox"]),
        sessions=_use("sessions", tree["sessions"]),
        plugins=PluginsConfig(disabled=tuple(tree.get("plugins", {}).get("disabled", ())), only=source.only),
        limits=Limits(**relay.get("limits", {})),
        retention=Retention(**relay.get("retention", {})),
        **{key: relay[key] for key in ("listen", "synced", "drain_seconds", "permission_hours") if key in relay},
    )


def _agent(source: Source, name: str, said: Tree, profile: Profile | None, registry: Registry) -> AgentConfig:
    approval = said.get("approval", (profile and profile.approval) or Approval.ASK)
    cwd = said.get("cwd")
    plain = ("provider", "label", "profile", "prompt", "instructions", "session", "on_interrupted", "silence")
    return AgentConfig(
        id=name,
        cwd=resolved(cwd, source.base(("agents", name, "cwd"))) if cwd else here(),
        approval=ALIASES.get(approval) or Approval(approval),
        priority=Priority(said["priority"]) if "priority" in said else None,
        options=_options(said, profile, registry),
        tags=tuple(said.get("tags", ())),
        capabilities=tuple(said.get("capabilities", ())),
        arguments=tuple(said.get("arguments", ())),
        **{key: said[key] for key in plain if key in said},
    )


def _options(said: Tree, profile: Profile | None, registry: Registry) -> dict[str, Any]:
    """Return the agent's options; the profile's model and effort, where the provider takes them and the agent says none."""
    takes = registry.providers[said["provider"]].options_schema.get("properties", {})
    shared = {"model": profile.model, "effort": profile.effort} if profile else {}
    return {**{key: value for key, value in shared.items() if value is not None and key in takes}, **said["options"]}


def _uses(tree: Tree, section: str) -> tuple[UseConfig, ...]:
    return tuple(_use(name, said) for name, said in tree.get(section, {}).items())


def _origins(source: Source, tree: Tree) -> Mapping[str, str]:
    places: list[Place] = [(section, name) for section in NAMED_USES for name in tree.get(section, {})]
    said = {dotted(place): source.origin(place) for place in places}
    return {place: origin for place, origin in said.items() if origin != DEFAULT}


def _use(name: str, said: Tree) -> UseConfig:
    options = {key: value for key, value in said.items() if key != "use"}
    return UseConfig(name=name, use=said["use"], options=options)
