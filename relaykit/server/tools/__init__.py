"""The tools of agents: the same for every provider, and for the person's own clients."""

from __future__ import annotations

from typing import TYPE_CHECKING

from relaykit.server.tools.finding import FIND_AGENTS, WHOAMI
from relaykit.server.tools.reading import INBOX, THREAD
from relaykit.server.tools.sending import REPLY, SEND
from relaykit.server.tools.working import REACT, TASK

if TYPE_CHECKING:
    from collections.abc import Sequence

    from relaykit.server.desk import Desk
    from relaykit.server.mcp import Tool

TOOLS: Sequence[Tool[Desk]] = (SEND, REPLY, INBOX, THREAD, REACT, FIND_AGENTS, TASK, WHOAMI)

__all__ = ["TOOLS"]
