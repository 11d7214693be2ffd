"""What plugin authors import: the marker, the component, the protocols of every kind.

A plugin is a module that an entry point of the group ``relaykit`` names. Importing it must stay cheap: import
what is heavy inside the component's ``open``.

What only some need is in modules that are imported by their own names: ``fields`` reads JSON that may be anything,
``jsonlines`` is the wire of a program that speaks it line by line, ``lastwords`` keeps what it complains of, and ``words``
makes what it says fit for a fault.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from relaykit.lazily import lazily

if TYPE_CHECKING:
    from relaykit.plugin.attachments import AttachmentStore
    from relaykit.plugin.channel import Channel
    from relaykit.plugin.component import API, CliCommand, Component, Projects
    from relaykit.plugin.context import (
        Child,
        Clock,
        Context,
        Credentials,
        DetachedProcess,
        Input,
        Intake,
        Output,
        Processes,
    )
    from relaykit.plugin.credentials import (
        ChangesCredentials,
        CredentialStore,
        KeepsRecords,
        ListsCredentials,
        RotatesMachineKey,
    )
    from relaykit.plugin.hooks import PROJECT, hookimpl, hookspec
    from relaykit.plugin.lending import CALLER, App, Known, Lent, Pace, Receive, Scope, Send, Site, Tls
    from relaykit.plugin.mailbox import Joining, Mailbox, Waiting, Watch
    from relaykit.plugin.provider import (
        AnswersHooks,
        AnswersPermissions,
        Attaches,
        ChangesModel,
        ChangesPermissionMode,
        Compacts,
        Endpoint,
        ListsSessions,
        Occurrences,
        Provider,
        ReadsHistory,
        Session,
        SessionRequest,
        TakesReplies,
        Terminal,
        Tools,
        Withdraws,
    )
    from relaykit.plugin.router import Directory, Route, Router, find_route
    from relaykit.plugin.sessions import SessionStore
    from relaykit.plugin.sink import StatusSink
    from relaykit.plugin.tooluses import ToolUses
    from relaykit.plugin.transport import FetchesAttachments, Receipt, Subscribable, Transport

_HOMES = {
    "attachments": ("AttachmentStore",),
    "channel": ("Channel",),
    "component": ("API", "CliCommand", "Component", "Projects"),
    "context": (
        "Child",
        "Clock",
        "Context",
        "Credentials",
        "DetachedProcess",
        "Input",
        "Intake",
        "Output",
        "Processes",
    ),
    "credentials": (
        "ChangesCredentials",
        "CredentialStore",
        "KeepsRecords",
        "ListsCredentials",
        "RotatesMachineKey",
    ),
    "hooks": ("PROJECT", "hookimpl", "hookspec"),
    "lending": ("CALLER", "App", "Known", "Lent", "Pace", "Receive", "Scope", "Send", "Site", "Tls"),
    "mailbox": ("Joining", "Mailbox", "Waiting", "Watch"),
    "provider": (
        "AnswersHooks",
        "AnswersPermissions",
        "Attaches",
        "ChangesModel",
        "ChangesPermissionMode",
        "Compacts",
        "Endpoint",
        "ListsSessions",
        "Occurrences",
        "Provider",
        "ReadsHistory",
        "Session",
        "SessionRequest",
        "TakesReplies",
        "Withdraws",
        "Terminal",
        "Tools",
    ),
    "router": ("Directory", "Route", "Router", "find_route"),
    "sessions": ("SessionStore",),
    "sink": ("StatusSink",),
    "tooluses": ("ToolUses",),
    "transport": ("FetchesAttachments", "Receipt", "Subscribable", "Transport"),
}

__all__ = [
    "API",
    "CALLER",
    "PROJECT",
    "AnswersHooks",
    "AnswersPermissions",
    "App",
    "Attaches",
    "AttachmentStore",
    "ChangesCredentials",
    "ChangesModel",
    "ChangesPermissionMode",
    "Channel",
    "Child",
    "CliCommand",
    "Clock",
    "Compacts",
    "Component",
    "Context",
    "CredentialStore",
    "Credentials",
    "DetachedProcess",
    "Directory",
    "Endpoint",
    "FetchesAttachments",
    "Input",
    "Intake",
    "Joining",
    "KeepsRecords",
    "Known",
    "Lent",
    "ListsCredentials",
    "ListsSessions",
    "Mailbox",
    "Occurrences",
    "Output",
    "Pace",
    "Processes",
    "Projects",
    "Provider",
    "ReadsHistory",
    "Receipt",
    "Receive",
    "RotatesMachineKey",
    "Route",
    "Router",
    "Scope",
    "Send",
    "Session",
    "SessionRequest",
    "SessionStore",
    "Site",
    "StatusSink",
    "Subscribable",
    "TakesReplies",
    "Terminal",
    "Tls",
    "ToolUses",
    "Tools",
    "Transport",
    "Waiting",
    "Watch",
    "Withdraws",
    "find_route",
    "hookimpl",
    "hookspec",
]

# pluggy, which the hooks need, costs more than a router, which ``relaykit send`` needs.
__getattr__ = lazily(__name__, _HOMES)
