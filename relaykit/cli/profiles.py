"""``relaykit profiles``: the profiles of the configuration, and what a provider makes of one."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from relaykit.cli.calling import examples
from relaykit.cli.near import near
from relaykit.cli.options import Json
from relaykit.cli.output import painted, plain, say, say_json, table
from relaykit.cli.parameters import Argument, Option
from relaykit.config import check, plugins, read
from relaykit.errors import UsageError
from relaykit.registry import PROVIDER
from relaykit.registry.projecting import projection

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from typing import Any

    from relaykit.config import Config
    from relaykit.model import Profile, Projection
    from relaykit.registry import Registry

_File = Annotated[
    Path | None, Option("--config", metavar="F", help="The file; ./relaykit.toml or the user's if left out.")
]
_COLOURS = {"projected": "green", "partly": "yellow", "cannot": "red"}


@examples("relaykit profiles", "relaykit profiles --json")
def profiles(config: _File = None, json: Json = False) -> None:
    """List the profiles of the configuration, what each says something of, and the agents that use it."""
    checked, _ = _configured(config)
    rows = [_row(profile, checked) for profile in checked.profiles.values()]
    if json:
        say_json({"profiles": rows})
    elif rows:
        table(
            ("PROFILE", "BASE", "AGENTS", "SAYS"),
            ((row["name"], row["base"], ", ".join(row["agents"]) or "-", _summary(row["items"])) for row in rows),
        )
    else:
        say("there are no profiles; write one as [profiles.NAME], or into profiles/NAME/")


@examples("relaykit profiles show careful", "relaykit profiles show careful --provider codex --json")
def show(
    name: Annotated[str, Argument("NAME", "A profile's name.")],
    provider: Annotated[
        str | None, Option("--provider", metavar="P", help="With which provider; those of its agents if left out.")
    ] = None,
    config: _File = None,
    json: Json = False,
) -> None:
    """Show each item of a profile: how a provider projects it, or why it cannot; nothing is started for it."""
    checked, registry = _configured(config)
    profile = checked.profiles.get(name)
    if profile is None:
        raise UsageError(f"there is no profile {name!r}{near(name, list(checked.profiles))}")
    reports = [
        {"provider": use, "agents": agents, "items": _report(profile, use, options, registry)}
        for use, agents, options in _uses(profile, provider, checked, registry)
    ]
    if json:
        say_json({"profile": name, "base": str(profile.base), "providers": reports})
        return
    for report in reports:
        _say_report(name, report)


def _configured(file: Path | None) -> tuple[Config, Registry]:
    source = read(file)
    registry = plugins(source)
    return check(source, registry), registry


def _row(profile: Profile, config: Config) -> dict[str, Any]:
    agents = [agent.id for agent in config.agents if agent.profile == profile.name]
    return {"name": profile.name, "base": str(profile.base), "agents": agents, "items": list(profile.items())}


def _summary(items: list[str]) -> str:
    kinds = Counter(item.partition(".")[0] for item in items if item != "base")
    return ", ".join(kind if count == 1 else f"{kind} ({count})" for kind, count in kinds.items()) or "nothing"


def _uses(
    profile: Profile, provider: str | None, config: Config, registry: Registry
) -> Iterator[tuple[str, list[str], Mapping[str, Any]]]:
    """Yield the providers to ask, each with the agents that use the profile with the same options."""
    known = registry.providers
    if provider is not None and provider not in known:
        raise UsageError(f"there is no provider {provider!r}{near(provider, list(known))}; see `relaykit plugins`")
    used = [agent for agent in config.agents if agent.profile == profile.name and provider in (None, agent.provider)]
    for agent in used:
        yield agent.provider, [agent.id], agent.options
    if not used:
        for name in [provider] if provider else known:
            yield name, [], _shared(profile, known[name].options_schema.get("properties", {}))


def _shared(profile: Profile, takes: Mapping[str, Any]) -> dict[str, Any]:
    said = {"model": profile.model, "effort": profile.effort}
    return {key: value for key, value in said.items() if value is not None and key in takes}


def _report(profile: Profile, provider: str, options: Mapping[str, Any], registry: Registry) -> list[dict[str, str]]:
    offer = registry.offer(PROVIDER, provider)
    with offer.blaming("projects"):
        return [_document(one) for one in projection(profile, offer.component, options)]


def _document(one: Projection) -> dict[str, str]:
    return {"item": one.item, "state": str(one.state), "how": one.how}


def _say_report(name: str, report: Mapping[str, Any]) -> None:
    who = f" (agent {', '.join(report['agents'])})" if report["agents"] else ""
    say(painted(f"{name} with {report['provider']}{who}", "bold"))
    width = max(len(item["item"]) for item in report["items"])
    for item in report["items"]:
        state = painted(f"{item['state']:<9}", _COLOURS[item["state"]])
        say(f"  {plain(item['item']):<{width}}  {state}  {plain(item['how'])}")
