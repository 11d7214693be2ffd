"""What may be a secret: it is refused in configurations and never shown."""

from __future__ import annotations

import re

from relaykit.model import NAME

MASK = "***"
_SECRET_KEY = re.compile(
    r"(^|[_.-])(token|secret|password|passwd|passphrase|authorization|bearer"
    r"|(api|access|private|secret|auth|signing|encryption)[_.-]?keys?)s?$",
    re.IGNORECASE,
)
_CAMEL = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")


def is_secret_key(key: str) -> bool:
    """Whether a key of that name would hold a secret: ``token``, ``apiKey``, ``OPENAI_API_KEY``; not ``max_tokens``."""
    words = _CAMEL.sub("_", key)
    return bool(_SECRET_KEY.search(words)) and not words.lower().startswith(("max_", "min_", "num_"))


def is_credential_name(value: object) -> bool:
    """Whether a value can be the name of a credential."""
    return not isinstance(value, str) or bool(NAME.fullmatch(value))
