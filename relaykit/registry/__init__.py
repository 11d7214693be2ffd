"""The registry: find plugins, refuse conflicts, choose by kind and name."""

from relaykit.registry.discovery import Found, discover
from relaykit.registry.kinds import (
    CREDENTIAL_STORE,
    KINDS,
    MAILBOX,
    PROVIDER,
    ROUTER,
    SANDBOX,
    SESSION_STORE,
    STATUS_SINK,
    TRANSPORT,
    Kind,
)
from relaykit.registry.loading import load
from relaykit.registry.offers import HOOKS, Offer, Plugin, PluginState
from relaykit.registry.problem import Problem
from relaykit.registry.registry import Registry
from relaykit.registry.schema import Checker

__all__ = [
    "CREDENTIAL_STORE",
    "HOOKS",
    "KINDS",
    "MAILBOX",
    "PROVIDER",
    "ROUTER",
    "SANDBOX",
    "SESSION_STORE",
    "STATUS_SINK",
    "TRANSPORT",
    "Checker",
    "Found",
    "Kind",
    "Offer",
    "Plugin",
    "PluginState",
    "Problem",
    "Registry",
    "discover",
    "load",
]
