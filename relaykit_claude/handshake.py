"""From a started process to a session: who is it, and who signed in."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from relaykit.errors import ProviderError
from relaykit.plugin.fields import table, text
from relaykit_claude.client import Refused
from relaykit_claude.faults import agent_error

if TYPE_CHECKING:
    from relaykit.plugin.fields import Fields
    from relaykit_claude.client import Client

OLDEST = (2, 1, 248)
"""The first claude that can be told that a message is to be read as it stands: one before it puts the file in the place of
a path that stands behind an ``@``, whoever wrote that, and whether or not the agent may read it. Tried live."""
SESSION_GONE = "session_not_found"
"""The code of the fault where a session cannot be gone on with, now or later."""
_VERSION = re.compile(r"(\d+)\.(\d+)\.(\d+)")
_GONE = re.compile(r"No conversation found", re.IGNORECASE)
_STRANGE_WORD = re.compile(r"unknown option", re.IGNORECASE)
"""What an older claude says of a word that it does not know, before it says anything of itself."""


async def introduce(client: Client, hello: Fields) -> None:
    """Say hello; the answer says that claude is ready.

    Args:
        client: The connection.
        hello: What the session is told with it.

    Raises:
        ProviderError: It is too old, nobody is signed in, or it ended in place of an answer.
    """
    try:
        told = await client.request("initialize", hello)
    except Refused as refused:
        raise agent_error("refused", f"claude refused to begin: {refused}") from None
    except ProviderError as error:
        if _GONE.search(error.fault.message):
            raise agent_error(SESSION_GONE, error.fault.message) from None
        if _STRANGE_WORD.search(error.fault.message):
            raise agent_error(
                "version", f"{error.fault.message}; {_remedy()} if `claude --version` tells less"
            ) from None
        raise agent_error("start", error.fault.message) from None
    if version := text(told, "claude_code_version") or await _version(client):
        check_version(version)
    _check_account(table(told, "account"))


async def _version(client: Client) -> str:
    """Ask for the version apart: an older claude does not tell it with its answer."""
    try:
        told = await client.request("get_binary_version")
    except Refused:
        return ""
    return text(told, "version")


def check_version(version: str) -> None:
    """Raise ProviderError where the version that claude tells is older than the oldest that is supported."""
    found = _VERSION.search(version)
    if found is None:
        raise agent_error("version", f"claude does not tell its version; {_remedy()}")
    if tuple(map(int, found.groups())) < OLDEST:
        raise agent_error("version", f"claude {found[0]} is too old; {_remedy()}")


def _remedy() -> str:
    return f"install {'.'.join(map(str, OLDEST))} or newer, or set the option command"


def _check_account(account: Fields) -> None:
    # Who is signed in by an account has no tokenSource at all, and an email only where claude has fetched it.
    nobody = text(account, "tokenSource") == "none" and text(account, "apiKeySource") in ("none", "")
    if nobody and text(account, "apiProvider") in ("firstParty", "") and not text(account, "email"):
        raise agent_error(
            "unauthorized", "claude is not signed in; run `claude` and sign in with /login, or configure a credential"
        )
