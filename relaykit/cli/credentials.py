"""``relaykit credentials``: put secrets into the configured store, and see what is there."""

from __future__ import annotations

import tomllib
from typing import TYPE_CHECKING, Annotated, Any

import anyio

from relaykit.cli.calling import examples
from relaykit.cli.credential_store import cannot, opened
from relaykit.cli.options import Json
from relaykit.cli.output import moment, plain, say, say_json, table
from relaykit.cli.parameters import Argument, Option
from relaykit.cli.secrets import asked_secret
from relaykit.errors import CredentialError, UsageError
from relaykit.model import NAME, Credential, new_id
from relaykit.plugin import (
    ChangesCredentials,
    Clock,
    KeepsRecords,
    ListsCredentials,
    RotatesMachineKey,
)
from relaykit.registry.masking import MASK, is_secret_key
from relaykit.relay.clock import SystemClock

if TYPE_CHECKING:
    from collections.abc import Callable

    from relaykit.model import CredentialInfo

_Name = Annotated[str, Argument("NAME", "What configurations call it.")]
_Stdin = Annotated[str | None, Argument("-", "Standard input holds the secret, a terminal or not.")]
_clock: Clock = SystemClock()


@examples(
    "relaykit credentials set openai",
    "pass show dock | relaykit credentials set dock --kind signaldock --field agentId=bob",
)
def set_(
    name: _Name,
    stdin: _Stdin = None,
    kind: Annotated[str | None, Option("--kind", metavar="K", help="Whose record it is, such as signaldock.")] = None,
    field: Annotated[
        tuple[str, ...], Option("--field", metavar="KEY=VALUE", help="What belongs to it and is no secret; repeatable.")
    ] = (),
    json: Json = False,
) -> None:
    """Store a secret, asked for or read from standard input. One of that name keeps its other fields."""
    fields = dict(map(_field, field))
    secret = asked_secret(_checked(name), stdin)

    def change(current: Credential | None) -> Credential:
        kept = current or Credential(secret=secret)
        return Credential(
            secret=secret,
            kind=kept.kind if kind is None else kind,
            fields={**kept.fields, **fields},
            since=_clock.now(),
        )

    anyio.run(_change, name, change)
    _done(name, "stored", json=json)


@examples("relaykit credentials list", "relaykit credentials list --json")
def list_(json: Json = False) -> None:
    """List the credentials by name, never their secrets; the one used last is the default where none is named."""
    found = anyio.run(_listed)
    if json:
        say_json({"credentials": [_document(one) for one in found]})
    elif not found:
        say("there are no credentials")
    else:
        rows = [(one.name, one.kind or "-", _when(one.since), _when(one.used_at)) for one in found]
        table(("NAME", "KIND", "SINCE", "USED"), rows)


@examples("relaykit credentials show dock", "relaykit credentials show dock --reveal")
def show(
    name: _Name,
    reveal: Annotated[bool, Option("--reveal", help="Print the secret, too.")] = False,
    json: Json = False,
) -> None:
    """Show a credential and what belongs to it; its secret only when that is asked for."""
    found = anyio.run(_shown, _checked(name))
    secret = found.secret.reveal() if reveal else MASK
    if json:
        about = {"name": name, "kind": found.kind, "fields": dict(found.fields), "since": found.since or None}
        say_json({**about, "rotating": found.rotation is not None, "secret": secret})
        return
    say(f"{name}  {found.kind or 'a plain secret'}  since {_when(found.since)}")
    for key, value in sorted(found.fields.items()):
        say(f"    {key} = {plain(str(value))}")
    if found.rotation:
        say("    a rotation was begun and is not finished")
    say(f"    secret: {secret}")


@examples("relaykit credentials rotate", "relaykit credentials rotate openai < new-key")
def rotate(
    name: Annotated[str | None, Argument("NAME", "The credential; without it the key of this machine.")] = None,
    stdin: _Stdin = None,
    json: Json = False,
) -> None:
    """Give a credential a new secret and keep the rest; without a name, encrypt everything with a new machine key."""
    if name is None:
        count = anyio.run(_rotate_machine_key)
        say_json({"rotated": "machine key", "credentials": count}) if json else say(
            f"a new machine key; {count} credential{'s' * (count != 1)} encrypted anew"
        )
        return
    secret = asked_secret(_checked(name), stdin)

    def change(current: Credential | None) -> Credential:
        if current is None:
            raise CredentialError(f"credential {name!r}: there is none; `relaykit credentials set {name}` stores it")
        return current.rotating(new_id()).promised(secret).promoted(_clock.now())

    anyio.run(_change, name, change)
    _done(name, "rotated", json=json)


@examples("relaykit credentials remove openai")
def remove(name: _Name, json: Json = False) -> None:
    """Remove a credential for good."""
    _checked(name)

    def change(current: Credential | None) -> None:
        if current is None:
            raise CredentialError(f"credential {name!r}: there is none")

    anyio.run(_change, name, change)
    _done(name, "removed", json=json)


async def _change(name: str, change: Callable[[Credential | None], Credential | None]) -> None:
    async with opened() as store:
        if not isinstance(store, ChangesCredentials):
            raise cannot("be written to")
        await store.change(name, change)


async def _listed() -> list[CredentialInfo]:
    async with opened() as store:
        if not isinstance(store, ListsCredentials):
            raise cannot("list what it keeps")
        return list(await store.credentials())


async def _shown(name: str) -> Credential:
    async with opened() as store:
        return await store.record(name) if isinstance(store, KeepsRecords) else Credential(secret=await store.get(name))


async def _rotate_machine_key() -> int:
    async with opened() as store:
        if not isinstance(store, RotatesMachineKey):
            raise cannot("change its machine key: it has none")
        return await store.rotate_machine_key()


def _checked(name: str) -> str:
    if not NAME.fullmatch(name):  # not repeated: a secret may stand in its place
        raise UsageError("a credential's name has letters, digits, '.', '_' and '-', at most 64 of them")
    return name


def _field(pair: str) -> tuple[str, Any]:
    key, equals, text = pair.partition("=")
    if not key or not equals:
        raise UsageError("--field: write KEY=VALUE")  # what was written is not repeated
    if is_secret_key(key):
        raise UsageError(f"--field {key}: that is a secret; it goes in on standard input, not on the command line")
    try:
        read = tomllib.loads(f"value = {text}")
    except tomllib.TOMLDecodeError:
        return key, text
    return key, read["value"] if set(read) == {"value"} else text


def _document(one: CredentialInfo) -> dict[str, Any]:
    about = {"name": one.name, "kind": one.kind, "fields": dict(one.fields), "since": one.since or None}
    return {**about, "used_at": one.used_at, "rotating": one.rotating}


def _when(at: float | None) -> str:
    return moment(at) if at else "-"


def _done(name: str, what: str, *, json: bool) -> None:
    say_json({"name": name, "done": what}) if json else say(f"{name}: {what}")
