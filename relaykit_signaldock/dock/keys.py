"""Keys and claim codes: shown once, kept as hashes."""

from __future__ import annotations

import secrets
from hashlib import sha256

PREFIX = "sk_live_"
CODE_SECONDS = 900.0
"""For which a claim code is good."""
_BYTES = 32
_LETTERS = "23456789ABCDEFGHJKLMNPQRSTUVWXYZ"
"""None of them is easily taken for another."""


def new_key() -> str:
    """Return a key that nobody can guess."""
    return PREFIX + secrets.token_hex(_BYTES)


def new_code() -> str:
    """Return a claim code, short enough to be typed."""
    letters = "".join(secrets.choice(_LETTERS) for _ in range(8))
    return f"{letters[:4]}-{letters[4:]}"


def digest(secret: str | bytes) -> str:
    """Return what is kept of a key or a code. It is looked up by this, so no time tells how much of a guess fits."""
    return sha256(secret.encode() if isinstance(secret, str) else secret).hexdigest()
