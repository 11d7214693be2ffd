"""What a provider can do: asked before, refused with a clear error where absent."""

from __future__ import annotations

from relaykit.model.record import Record


class Capabilities(Record, frozen=True, kw_only=True):
    """What a provider's sessions can do."""

    join: bool = False
    """A submission may join a running turn."""
    join_cuts_text: bool = False
    """Joining mid-text drops the text that was being written."""
    interrupt: bool = True
    resume: bool = False
    """A session can be opened again by its id."""
    history: bool = False
    """Past turns can be read, so that recovery knows instead of guessing."""
    sessions: bool = False
    """Its conversations can be listed, those begun elsewhere too."""
    compact: bool = False
    clear: bool = False
    """A conversation can begin anew inside its process. The relay needs it not: it clears by opening a new session."""
    permissions: bool = False
    """It asks, and does as it is told."""
    replies: bool = False
    """Its questions may have choices, and an approval may change what a tool is given."""
    withdraw: bool = False
    """It lets go of a submission that it has not begun with."""
    set_model: bool = False
    """It goes on with another model while it runs."""
    set_permission_mode: bool = False
    """It goes on in another of its own permission modes while it runs."""
    context: bool = False
    """It tells how full a session's context is."""
    streaming: bool = False
    """Text comes in deltas."""
    envelope: bool = False
    """It reads prose: it is told in a line above the text who sent a message, where that is no person here."""
    tools: bool = False
    """It gives its sessions the relay's tools, by ``SessionRequest.endpoint``; for such the relay listens."""
    piped_tools: bool = False
    """It speaks with those tools over its program's own pipe, so that no web server is needed before somebody comes."""
    detached: bool = False
    """Its process outlives the relay."""
    attach: bool = False
    """A person can join its session in the agent's own terminal program."""
    max_text: int | None = None
    """Characters of one submission, where the provider has a limit."""
    model: str | None = None
    effort: str | None = None
