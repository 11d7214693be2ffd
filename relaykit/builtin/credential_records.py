"""Names and records of credentials, as the stores write them down."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from relaykit.errors import CredentialError
from relaykit.model import NAME, Credential, CredentialInfo, Secret

if TYPE_CHECKING:
    from collections.abc import Mapping

_MOST = 256 * 1024


def checked_name(name: str) -> str:
    """Return the name; CredentialError, which does not repeat it, where it is none: a secret may stand in its place."""
    if not NAME.fullmatch(name):
        raise CredentialError("a credential's name has letters, digits, '.', '_' and '-', at most 64 of them")
    return name


def missing(name: str, where: str) -> CredentialError:
    """Return the error of a credential that is not there."""
    return CredentialError(
        f"credential {name!r}: there is none in {where}; `relaykit credentials set {name}` stores it"
    )


def packed(name: str, credential: Credential) -> bytes:
    """Return a credential as bytes, secrets in the clear. CredentialError where it cannot be kept."""
    about = {
        "secret": credential.secret.reveal(),
        "kind": credential.kind,
        "fields": dict(credential.fields),
        "since": credential.since,
        "rotation": credential.rotation,
        "pending": credential.pending and credential.pending.reveal(),
    }
    if not about["secret"]:
        raise CredentialError(f"credential {name!r}: an empty secret is not kept")
    try:
        data = json.dumps(about, ensure_ascii=False).encode()
    except (TypeError, ValueError):  # not chained: the error would show what it choked on
        raise CredentialError(f"credential {name!r}: secret and fields must be text that JSON can hold") from None
    if len(data) > _MOST:
        raise CredentialError(f"credential {name!r}: it has {len(data)} bytes; {_MOST} may be")
    return data


def unpacked(name: str, data: bytes) -> Credential:
    """Return the credential that was packed; CredentialError where it is none."""
    try:
        about: Mapping[str, Any] = json.loads(data)
        return Credential(
            secret=Secret(_text(about["secret"])),
            kind=_text(about["kind"]),
            fields=dict(about["fields"]),
            since=float(about["since"]),
            rotation=None if about["rotation"] is None else _text(about["rotation"]),
            pending=None if about["pending"] is None else Secret(_text(about["pending"])),
        )
    except (ValueError, KeyError, TypeError):
        raise CredentialError(f"credential {name!r}: what is stored is no credential; set it anew") from None


def info(name: str, credential: Credential, used_at: float | None) -> CredentialInfo:
    """Return what may be shown of a credential."""
    return CredentialInfo(
        name=name,
        kind=credential.kind,
        fields=credential.fields,
        since=credential.since,
        used_at=used_at,
        rotating=credential.rotation is not None,
    )


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise TypeError
    return value
