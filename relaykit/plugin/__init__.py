"""What plugin authors import: the marker, the component, the protocols of every kind.

A plugin is a module that an entry point of the group ``relaykit`` names. Importing it must stay cheap: import
what is heavy inside the component's ``open``.
"""

from relaykit.plugin.component import API, CliCommand, Component
from relaykit.plugin.context import Child, Clock, Context, Credentials, Intake, Processes
from relaykit.plugin.credentials import CredentialStore
from relaykit.plugin.hooks import PROJECT, hookimpl, hookspec
from relaykit.plugin.mailbox import Joining, Mailbox, Waiting, Watch
from relaykit.plugin.provider import AnswersPermissions, Compacts, Provider, ReadsHistory, Session, SessionRequest
from relaykit.plugin.router import Directory, Route, Router, find_route
from relaykit.plugin.sessions import SessionStore
from relaykit.plugin.sink import StatusSink
from relaykit.plugin.transport import Receipt, Transport

__all__ = [
    "API",
    "PROJECT",
    "AnswersPermissions",
    "Child",
    "CliCommand",
    "Clock",
    "Compacts",
    "Component",
    "Context",
    "CredentialStore",
    "Credentials",
    "Directory",
    "Intake",
    "Joining",
    "Mailbox",
    "Processes",
    "Provider",
    "ReadsHistory",
    "Receipt",
    "Route",
    "Router",
    "Session",
    "SessionRequest",
    "SessionStore",
    "StatusSink",
    "Transport",
    "Waiting",
    "Watch",
    "find_route",
    "hookimpl",
    "hookspec",
]
