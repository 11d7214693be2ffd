"""The built-in components: names and options here, the rest on opening."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import AbstractAsyncContextManager
from importlib import import_module
from typing import TYPE_CHECKING, Any

from relaykit.builtin import console, jsonl, options, projecting
from relaykit.plugin import Component, hookimpl

if TYPE_CHECKING:
    from relaykit.plugin import Context, CredentialStore, Provider, Router, StatusSink, Transport


def _opening(module: str, function: str) -> Callable[[Mapping[str, Any], Context], AbstractAsyncContextManager[Any]]:
    """Return an ``open`` that imports its module when it is called."""

    def open_(options: Mapping[str, Any], context: Context) -> AbstractAsyncContextManager[Any]:
        opener: Callable[..., AbstractAsyncContextManager[Any]]
        opener = getattr(import_module(f"relaykit.builtin.{module}"), function)
        return opener(options, context)

    return open_


@hookimpl
def relaykit_transports() -> list[Component[Transport]]:
    """Offer the way to people and programs of this process."""
    return [
        Component(
            name="local",
            summary="Hands what is sent to people to the programs that embed the relay",
            open=_opening("local", "open_local"),
        )
    ]


@hookimpl
def relaykit_providers() -> list[Component[Provider]]:
    """Offer the providers that need no agent."""
    return [
        Component(
            name="echo",
            summary="Says every text again",
            open=_opening("echo", "open_echo"),
            options_schema=options.ECHO,
            projects=projecting.echo,
        ),
        Component(
            name="exec",
            summary="Any command as an agent: text in, text out",
            open=_opening("exec_provider", "open_exec"),
            options_schema=options.EXEC,
            projects=projecting.exec_,
        ),
    ]


@hookimpl
def relaykit_routers() -> list[Component[Router]]:
    """Offer the router of the everyday addresses."""
    return [
        Component(
            name="address",
            summary="Names, labels, tags and capabilities from the directory, and name@transport",
            open=_opening("routing", "open_address_router"),
        )
    ]


@hookimpl
def relaykit_credential_stores() -> list[Component[CredentialStore]]:
    """Offer the credentials of the environment, of an encrypted file, and of the desktop's keyring."""
    prefix = {
        "type": "string",
        "pattern": "^[A-Za-z_][A-Za-z0-9_]*$",
        "x-means": "the beginning of a variable's name",
        "default": "RELAYKIT_CREDENTIAL_",
        "description": "What the variables' names begin with; the credential's name follows in upper case.",
    }
    service = {
        "type": "string",
        "minLength": 1,
        "default": "relaykit",
        "description": "What the keyring calls its entries; homes that shall not share them need one each.",
    }
    return [
        Component(
            name="env",
            summary="Secrets from environment variables: RELAYKIT_CREDENTIAL_NAME",
            open=_opening("env_credentials", "open_env_credentials"),
            options_schema={"type": "object", "additionalProperties": False, "properties": {"prefix": prefix}},
        ),
        Component(
            name="file",
            summary="Secrets in a file of the relay's home, encrypted with a key of this machine",
            open=_opening("file_credentials", "open_file_credentials"),
        ),
        Component(
            name="keyring",
            summary="Secrets in the keyring of the desktop",
            open=_opening("keyring_credentials", "open_keyring_credentials"),
            options_schema={"type": "object", "additionalProperties": False, "properties": {"service": service}},
        ),
    ]


@hookimpl
def relaykit_status_sinks() -> list[Component[StatusSink]]:
    """Offer the terminal, and a file of JSON lines."""
    return [console.COMPONENT, jsonl.COMPONENT]
