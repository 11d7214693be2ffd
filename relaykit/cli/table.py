"""The built-in commands. A command's module is imported only when it is used."""

from __future__ import annotations

from typing import NamedTuple


class Entry(NamedTuple):
    """One command."""

    words: str
    """What is typed after ``relaykit``: one word, or two."""
    summary: str
    target: str
    """``module:function``."""
    group: str
    lent: bool = False
    """Of a plugin's: whether it takes what the core lends."""
    plugin: str = ""
    """Of a plugin's: whose it is."""


GROUPS = ("work", "look", "decide", "command", "set up")
PLUGINS = "from plugins"
"""The group of the commands that plugins add."""

_ROWS = {
    "work": (
        ("run", "Run the configured agents, or one ad hoc, until stopped.", "run:run"),
        ("send", "Put a message; with --wait print the reply.", "send:send"),
        ("attach", "Join an agent in its own terminal program.", "attach:attach"),
        ("demo", "See an agent ask another one, in a home of its own.", "demo:demo"),
    ),
    "look": (
        ("trace", "Show every step of a message, and its end with the reason.", "trace:trace"),
        ("inbox", "Show what waits for a person or an agent.", "inbox:inbox"),
        ("agents", "List the agents with their addresses.", "agents:agents"),
        ("status", "Show what the agents and their relays are doing.", "status:status"),
        ("sessions", "List the agents' sessions.", "sessions:sessions"),
        ("events", "Show what sessions did, or follow what they do.", "events:events"),
    ),
    "decide": (
        ("permissions", "List the permission requests that wait for an answer.", "permissions:permissions"),
        ("approve", "Approve a permission request.", "approve:approve"),
        ("deny", "Deny a permission request.", "deny:deny"),
    ),
    "command": (
        ("interrupt", "Interrupt an agent's running turn.", "orders:interrupt"),
        ("compact", "Have an agent make its context smaller.", "orders:compact"),
        ("clear", "Have an agent begin a new session; its queue stays.", "orders:clear"),
        ("model", "Have an agent go on with another model.", "orders:model"),
        ("permission-mode", "Have an agent go on in another permission mode.", "orders:permission_mode"),
        ("restart", "Restart an agent's provider; session and queue stay.", "orders:restart"),
        ("reconnect", "Join an agent's session anew; what is detached goes on.", "orders:reconnect"),
        ("stop", "Stop an agent in good order; its queue stays.", "orders:stop"),
        ("kill", "Stop an agent at once; its queue stays.", "orders:kill"),
        ("steer", "Tell an agent something that bears on its running turn.", "orders:steer"),
        ("inject", "Give an agent something to know; nothing is answered.", "orders:inject"),
        ("cancel", "Cancel a message.", "cancel:cancel"),
        ("edit", "Give a queued message another text.", "edit:edit"),
        ("move", "Put a queued message before another one, or first.", "move:move"),
        ("requeue", "Queue a message that ended otherwise than well once more.", "requeue:requeue"),
    ),
    "set up": (
        ("plugins", "List the plugins and what each offers.", "plugins:plugins"),
        ("profiles", "List the profiles, and who uses each.", "profiles:profiles"),
        ("profiles show", "Show what a provider makes of a profile, and what it cannot do.", "profiles:show"),
        ("config check", "Check the configuration; tell every problem at once.", "config:check"),
        ("config show", "Show the configuration that holds, and where it is from.", "config:show"),
        ("config schema", "Print the JSON Schema of the configuration.", "config:schema"),
        ("config init", "Write a configuration to begin with.", "config:init"),
        ("credentials set", "Store a secret, read from a prompt or standard input.", "credentials:set_"),
        ("credentials list", "List the credentials, never their secrets.", "credentials:list_"),
        ("credentials show", "Show a credential; its secret with --reveal.", "credentials:show"),
        ("credentials rotate", "Give a credential, or this machine, a new secret.", "credentials:rotate"),
        ("credentials remove", "Remove a credential.", "credentials:remove"),
        ("service install", "Write a systemd unit for a relay or a dock.", "service:install"),
        ("new provider", "Write a provider plugin to begin with.", "new:provider"),
        ("doctor", "Check this machine and its home; say what to mend.", "doctor:doctor"),
    ),
}

BUILT_IN = tuple(
    Entry(words, summary, f"relaykit.cli.{target}", group)
    for group, rows in _ROWS.items()
    for words, summary, target in rows
)
"""Every built-in command, in the order of the help."""
