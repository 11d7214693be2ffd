"""An agent from the options of ``relaykit run``, over whatever the file says of it."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from msgspec import Struct, field
from msgspec.structs import replace

from relaykit.config.source import DEFAULT, Setting, Source
from relaykit.errors import UsageError

if TYPE_CHECKING:
    from relaykit.registry import Registry
    from relaykit.registry.problem import Place

_KEY = re.compile(r"[A-Za-z0-9_-]+(\.[A-Za-z0-9_-]+)*")


class RunOptions(Struct, frozen=True, kw_only=True):
    """What ``relaykit run`` was told of its agent; None and empty say nothing."""

    provider: str | None = None
    agent: str | None = None
    cwd: str | None = None
    prompt: str | None = None
    approval: str | None = None
    label: str | None = None
    tags: Sequence[str] = ()
    capabilities: Sequence[str] = ()
    model: str | None = None
    effort: str | None = None
    profile: str | None = None
    append_system_prompt: str | None = None
    transport: str | None = None
    """``NAME=URL``."""
    credential: str | None = None
    options: Sequence[str] = ()
    """``KEY=VALUE`` each, the value as TOML writes it, or else a string."""
    arguments: Sequence[str] = field(default=())
    """The words after ``--``."""


_AGENT_KEYS: Mapping[str, tuple[str, str]] = {
    "provider": ("provider", "--provider"),
    "cwd": ("cwd", "--cwd"),
    "prompt": ("prompt", "--prompt"),
    "approval": ("approval", "--approval"),
    "label": ("label", "--label"),
    "tags": ("tags", "--tag"),
    "capabilities": ("capabilities", "--cap"),
    "profile": ("profile", "--profile"),
    "append_system_prompt": ("instructions", "--append-system-prompt"),
    "arguments": ("arguments", "--"),
}
_OPTION_KEYS: Mapping[str, str] = {"model": "--model", "effort": "--effort"}


def ad_hoc_agent(source: Source, said: RunOptions) -> Source:
    """Return the source with one agent made of options, the only one that is to run.

    The agent's name is the one given, else the provider's; what the file says of an agent of that name holds
    where no option says otherwise. Without a provider or a name nothing changes, but for the transport.

    Raises:
        UsageError: An option says something about an agent, and none is named; or it is not KEY=VALUE.
    """
    source = source.including(list(_transport(source, said)))
    for flag, word in (("--agent", said.agent), ("--provider", said.provider)):
        if word == "":
            raise UsageError(f"{flag}: '' is no name")
    name = said.agent or said.provider
    if name is None:
        if spoken := _spoken(said):
            raise UsageError(f"{spoken} says something about an agent; name it with --agent, or give a --provider")
        return source
    return replace(source.including(list(_agent(name, said))), agent=name)


def check_offered(source: Source, registry: Registry) -> None:
    """Raise UsageError where an option of ``run`` is for something that the agent's provider has not."""
    agents = source.tree.get("agents")
    agent = agents.get(source.agent) if source.agent is not None and isinstance(agents, Mapping) else None
    provider = agent.get("provider") if isinstance(agent, Mapping) else None
    component = registry.providers.get(provider) if isinstance(provider, str) else None
    if component is None or component.options_schema.get("additionalProperties") is not False:
        return  # the check of the configuration says what there is to say
    for key, flag in _OPTION_KEYS.items():
        said = source.origin(("agents", str(source.agent), "options", key)) == flag
        if said and key not in component.options_schema.get("properties", {}):
            raise UsageError(f"{flag}: the provider {provider!r} has no {key}; leave it out")


def _spoken(said: RunOptions) -> str | None:
    """Return the first option that only makes sense with an agent."""
    flags = {field: flag for field, (_, flag) in _AGENT_KEYS.items()} | dict(_OPTION_KEYS) | {"options": "--option"}
    if said.transport is None:
        flags["credential"] = "--credential"
    return next((flag for field, flag in flags.items() if getattr(said, field)), None)


def _agent(name: str, said: RunOptions) -> Iterator[Setting]:
    place: Place = ("agents", name)
    for field_, (key, flag) in _AGENT_KEYS.items():
        value = getattr(said, field_)
        if isinstance(value, str):
            yield Setting(path=(*place, key), value=value, origin=flag)
        elif value:
            yield Setting(path=(*place, key), value=list(value), origin=flag)
    options = {flag: (key, getattr(said, key)) for key, flag in _OPTION_KEYS.items()}
    if said.transport is None:
        options["--credential"] = ("credential", said.credential)
    for flag, (key, value) in options.items():
        if value is not None:
            yield Setting(path=(*place, "options", key), value=value, origin=flag)
    for pair in said.options:
        key, value = _pair("--option", "KEY=VALUE", pair)
        if not _KEY.fullmatch(key):
            raise UsageError(f"--option: {key!r} is no key; use letters, digits, '_' and '-', dots between tables")
        yield Setting(path=(*place, "options", *key.split(".")), value=_value(value), origin="--option")


def _transport(source: Source, said: RunOptions) -> Iterator[Setting]:
    if said.transport is None:
        return
    name, url = _pair("--transport", "NAME=URL", said.transport)
    place: Place = ("transports", name)
    yield Setting(path=(*place, "url"), value=url, origin="--transport")
    if source.origin((*place, "use")) == DEFAULT:
        yield Setting(path=(*place, "use"), value=name, origin="--transport")
    if said.credential is not None:
        yield Setting(path=(*place, "credential"), value=said.credential, origin="--credential")


def _pair(flag: str, form: str, text: str) -> tuple[str, str]:
    key, equals, value = text.partition("=")
    if not key or not equals:
        raise UsageError(f"{flag}: {key!r} is not {form}")  # what follows may be a secret: it is not shown
    return key, value


def _value(text: str) -> Any:
    """Read a value as TOML writes it; what is not TOML is a string, so that nobody has to quote one."""
    if text[:1] == "/":  # a path, the most frequent value: no parser has to be imported for it
        return text
    import tomllib  # noqa: PLC0415 - as above

    try:
        read = tomllib.loads(f"value = {text}")
    except (tomllib.TOMLDecodeError, RecursionError):
        return text
    return read["value"] if set(read) == {"value"} else text
