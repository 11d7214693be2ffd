"""From a started process to a thread: who is it, who signed in, and did it take what was asked."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from msgspec import Struct

from relaykit.errors import ProviderError
from relaykit.model import Approval
from relaykit.plugin.fields import rows, strings, table, text
from relaykit_codex import endpoint
from relaykit_codex.client import Client, Refused
from relaykit_codex.conversation import QUIET
from relaykit_codex.faults import agent_error, config_fault, refusal
from relaykit_codex.protocol import Notification
from relaykit_codex.toml import flat

if TYPE_CHECKING:
    from collections.abc import Sequence

    from relaykit.model import Secret
    from relaykit.plugin import SessionRequest
    from relaykit.plugin.fields import Fields
    from relaykit_codex.options import Options
    from relaykit_codex.projecting import Projected

OLDEST = (0, 163, 0)
"""The oldest codex whose words are known to be understood."""
_VERSION = re.compile(r"/(\d+)\.(\d+)\.(\d+)")
SESSION_GONE = "session_not_found"
"""The code of the fault where a session cannot be gone on with, now or later."""
_GONE = re.compile(r"no rollout found|failed to read (thread|session)|invalid session id|thread not found|not loaded")
_WANTED = frozenset({"serverRequest/resolved"})
_SANDBOXES = {"read-only": "readOnly", "workspace-write": "workspaceWrite"}


class Opened(Struct, frozen=True):
    """A thread that is ready to take text."""

    thread: str
    model: str | None
    effort: str | None
    running: Fields
    """The turn that runs in it already, as far as it has come; empty where none does."""


async def introduce(client: Client) -> None:
    """Say hello.

    Raises:
        ProviderError: It is too old, or no codex.
    """
    quiet = [method for method in QUIET if method not in _WANTED]
    who = {"name": "relaykit", "title": "relaykit", "version": "0.1.0"}
    able = {"experimentalApi": True, "optOutNotificationMethods": quiet}
    result = await client.ask("initialize", {"clientInfo": who, "capabilities": able})
    check_version(text(result, "userAgent"))
    client.notify("initialized")


def check_version(user_agent: str) -> None:
    """Raise ProviderError where the version that codex tells is older than the oldest that is supported."""
    found = _VERSION.search(user_agent)
    oldest = ".".join(map(str, OLDEST))
    if found is None:
        raise agent_error("version", f"codex does not tell its version; {oldest} or newer is needed")
    if tuple(map(int, found.groups())) < OLDEST:
        version = ".".join(found.groups())
        raise agent_error(
            "version", f"codex {version} is too old; install {oldest} or newer, or set the option command"
        )


async def sign_in(client: Client, options: Options, key: Secret | None, home: str | None = None) -> None:
    """Sign in with a key, or see that someone has.

    Raises:
        ProviderError: Nobody is signed in and the model provider needs it, or Codex warns of its configuration:
            it goes on with defaults where that is broken, and these know no sign-in either.
    """
    account = await client.ask("account/read", {"refreshToken": False})
    for message in client.early:
        if isinstance(message, Notification) and message.method == "configWarning":
            _check_warning(message.params)
    if key is not None:
        await client.ask("account/login/start", {"type": "apiKey", "apiKey": key.reveal()})
        return
    # what the account is needed for is the provider of Codex's own configuration, not one that is chosen here
    needed = options.model_provider is None and account.get("requiresOpenaiAuth") is True
    if needed and not table(account, "account"):
        login = f"CODEX_HOME={home} codex login" if home else "codex login"
        raise agent_error("unauthorized", f"codex is not signed in; run `{login}`, or configure a credential")


def _check_warning(params: Fields) -> None:
    if fault := config_fault(params):
        raise ProviderError(fault)


def thread_settings(request: SessionRequest, options: Options, profile: Projected) -> Fields:
    """Return what a thread is begun or resumed with.

    All is said, nothing left to Codex's configuration. The policy is ``on-request`` for every approval: with it
    Codex runs what the sandbox allows and asks for the rest, and the relay answers. ``never`` would refuse in its
    place, without a word to anyone; ``danger-full-access`` has nothing left to ask for.
    """
    sandbox = "read-only" if request.approval is Approval.READ_ONLY else options.sandbox
    config = {
        # Codex takes the keys in any order, so none may stand for a table that another one is in.
        **flat(profile.config),
        **flat(options.config),
        "sandbox_workspace_write.network_access": options.network,
        "sandbox_workspace_write.writable_roots": list(options.writable),
    }
    if options.effort:
        config["model_reasoning_effort"] = options.effort
    if request.endpoint is not None:
        config |= flat(endpoint.settings(request.endpoint))
    chosen = {
        "model": options.model,
        "modelProvider": options.model_provider,
        "baseInstructions": profile.base,
        "developerInstructions": "\n\n".join(filter(None, (request.instructions, profile.instructions))),
    }
    return {
        "cwd": str(request.cwd.resolve()),
        "approvalPolicy": "on-request",
        "approvalsReviewer": "user",
        "sandbox": sandbox,
        "config": config,
        **{name: value for name, value in chosen.items() if value},
    }


async def open_thread(client: Client, settings: Fields, resume: str | None) -> Opened:
    """Begin a thread or go on with one, and compare what codex took with what was asked.

    Raises:
        ProviderError: It cannot be opened, or not as asked.
    """
    if resume:
        last = {"limit": 1, "itemsView": "full"}
        asked = {"threadId": resume, "excludeTurns": True, "initialTurnsPage": last, **settings}
        result = await _resume(client, asked)
    else:
        result = await client.ask("thread/start", settings)
    if differences := [*_differences(settings, result)]:
        raise _mismatch(differences)
    running = [turn for turn in rows(result, "initialTurnsPage", "data") if text(turn, "status") == "inProgress"]
    return Opened(
        thread=text(result, "thread", "id"),
        model=text(result, "model") or None,
        effort=text(result, "reasoningEffort") or None,
        running=running[0] if running else {},
    )


async def _resume(client: Client, asked: Fields) -> Fields:
    try:
        return await client.request("thread/resume", asked)
    except Refused as refused:
        if _GONE.search(refused.failure.message):
            message = f"codex cannot go on with session {asked['threadId']}: {refused.failure.message}"
            raise agent_error(SESSION_GONE, message) from None
        raise refusal(refused.failure) from None


def _differences(asked: Fields, got: Fields) -> Sequence[str]:
    config = asked["config"]
    wanted = {
        "cwd": asked["cwd"],
        "approvalPolicy": asked["approvalPolicy"],
        "approvalsReviewer": asked["approvalsReviewer"],
        "sandbox": _SANDBOXES[asked["sandbox"]],
        "model": asked.get("model", got.get("model")),
        "modelProvider": asked.get("modelProvider", got.get("modelProvider")),
        "reasoningEffort": config.get("model_reasoning_effort", got.get("reasoningEffort")),
    }
    found = {**{name: got.get(name) for name in wanted}, "sandbox": text(got, "sandbox", "type")}
    if wanted["sandbox"] == _SANDBOXES["workspace-write"]:
        wanted |= {"network": config["sandbox_workspace_write.network_access"]}
        wanted |= {"writable": config["sandbox_workspace_write.writable_roots"]}
        found["network"] = table(got, "sandbox").get("networkAccess")
        found["writable"] = strings(got, "sandbox", "writableRoots")
    return [f"{name} is {found[name]!r}, not {value!r}" for name, value in wanted.items() if found[name] != value]


def _mismatch(differences: Sequence[str]) -> ProviderError:
    return agent_error("settings", f"codex did not take the settings of the session: {'; '.join(differences)}")
