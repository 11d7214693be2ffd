"""Who the transport is at which server, and with which key: a credential, checked."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

from msgspec import Struct

from relaykit.errors import ConfigError, CredentialError
from relaykit.model import Credential, CredentialInfo
from relaykit.plugin import Context, KeepsRecords, ListsCredentials
from relaykit_signaldock.options import Options
from relaykit_signaldock.protocol import is_key

KIND = "signaldock"
_TEXT = {"type": "string", "minLength": 1}
_TEXTS = {"type": "array", "items": {"type": "string"}}
FIELDS_SCHEMA: Mapping[str, Any] = {
    "type": "object",
    "properties": {
        "agentId": _TEXT,
        "displayName": {"type": "string"},
        "apiBaseUrl": {"type": "string", "pattern": "^https?://[^/?#\\s]+[^?#\\s]*$"},
        "classification": {"type": ["string", "null"]},
        "privacyTier": {"enum": ["public", "discoverable", "private"]},
        "capabilities": _TEXTS,
        "skills": _TEXTS,
        "transportType": {"enum": ["http", "sse", "websocket"]},
        "transportConfig": {
            "type": "object",
            "properties": {"pollIntervalMs": {"type": "number", "exclusiveMinimum": 0}, "sseEndpoint": _TEXT},
        },
        "isActive": {"type": "boolean"},
        "createdAt": {"type": "string"},
        "updatedAt": {"type": "string"},
        "lastUsedAt": {"type": ["string", "null"]},
    },
}
"""JSON Schema of a credential's fields; the key itself is its secret."""
_LOOPBACK = ("localhost", "127.0.0.1", "::1")


class Account(Struct, frozen=True, kw_only=True):
    """Who we are, where."""

    credential: str
    """The credential's name in the store."""
    agent: str
    url: str
    poll_seconds: float
    stream_path: str
    is_local: bool
    """Whether the server is on this machine."""


async def find_account(options: Options, context: Context) -> tuple[Account, Credential]:
    """Return who to sign in as, and the credential.

    Raises:
        CredentialError: There is none, or it does not fit.
        ConfigError: Nothing says which agent or which server.
    """
    name = options.credential or await _latest(options, context)
    store = context.credentials.store
    if isinstance(store, KeepsRecords):
        found = await store.record(name)
        await store.mark_used(name)
    else:
        found = Credential(secret=await context.credentials.get(name))
    _check(name, found)
    return _account(options, name, found.fields, context.name), found


async def _latest(options: Options, context: Context) -> str:
    store = context.credentials.store
    listed = await store.credentials() if isinstance(store, ListsCredentials) else ()
    fitting = [one for one in listed if one.kind == KIND and _is_meant(one, options.agent)]
    if not fitting:
        raise CredentialError(
            f"{context.name}: the credential store has no active credential of kind {KIND}"
            f"{f' for {options.agent}' if options.agent else ''}; store one with `relaykit credentials set NAME "
            f"--kind {KIND} --field agentId=AGENT`, or name one: credential"
        )
    return max(fitting, key=lambda one: (one.used_at or 0.0, one.since or 0.0)).name


def _is_meant(one: CredentialInfo, agent: str | None) -> bool:
    return one.fields.get("isActive", True) is True and agent in (None, one.fields.get("agentId"))


def _check(name: str, found: Credential) -> None:
    from jsonschema import Draft202012Validator  # noqa: PLC0415 - not when the plugin is only registered

    if found.kind not in ("", KIND):
        raise CredentialError(f"credential {name!r} is of kind {found.kind!r}, not {KIND}")
    problems = [
        f"{'.'.join(map(str, error.absolute_path))}: {error.validator} {error.validator_value!r} does not hold"
        for error in Draft202012Validator(FIELDS_SCHEMA).iter_errors(dict(found.fields))
    ]
    if not is_key(found.secret.reveal()):
        problems.append("the key holds what no key does: blanks, line ends or letters beyond ASCII")
    if problems:
        raise CredentialError(f"credential {name!r}: {'; '.join(sorted(problems))}")


def _account(options: Options, name: str, fields: Mapping[str, Any], where: str) -> Account:
    agent, url = options.agent or fields.get("agentId"), options.url or fields.get("apiBaseUrl")
    if not agent:
        raise ConfigError(f"{where}.agent: neither this nor the credential {name!r} says who to sign in as")
    if not url:
        raise ConfigError(f"{where}.url: neither this nor the credential {name!r} says where the server is")
    is_local = urlsplit(url).hostname in _LOOPBACK
    if url.startswith("http:") and not is_local and not options.allow_http:
        raise ConfigError(
            f"{where}.url: {url} would carry the key unencrypted to another machine; use https, or set "
            "allow_http = true on a network that you trust"
        )
    wire = fields.get("transportConfig", {})
    url = url.rstrip("/")
    stream_path = str(wire.get("sseEndpoint", "/messages/stream")).removeprefix(url)
    if not stream_path.startswith("/"):
        raise CredentialError(f"credential {name!r}: transportConfig.sseEndpoint is at another server than {url}")
    return Account(
        credential=name,
        agent=agent,
        url=url,
        poll_seconds=options.poll_seconds or wire.get("pollIntervalMs", 5000) / 1000,
        stream_path=stream_path,
        is_local=is_local,
    )
