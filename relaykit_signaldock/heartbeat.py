"""Presence: signs of life while the transport is open, and offline when it stops."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import quote

import anyio

from relaykit.errors import CredentialError, TransportError
from relaykit_signaldock.client import Request

if TYPE_CHECKING:
    from relaykit_signaldock.shared import Shared

_LEAVING = 5.0


class Heartbeat:
    """Says that the agent is there."""

    def __init__(self, shared: Shared) -> None:
        self._agent = quote(shared.account.agent, safe="")
        self._client = shared.client
        self._seconds = shared.options.heartbeat_seconds
        self._reporter = shared.reporter
        self._clock = shared.clock

    async def run(self) -> None:
        """Say so for ever; one that is not heard is followed by the next."""
        while self._seconds:
            try:
                path = f"/agents/{self._agent}/heartbeat"
                await self._client.ask(Request(method="POST", path=path, json={"status": "online"}))
            except (TransportError, CredentialError) as error:
                self._reporter.trouble("heartbeat", f"no sign of life is heard: {error}")
            else:
                self._reporter.well("heartbeat", "signs of life are heard again")
            await self._clock.sleep(self._seconds)

    async def leave(self) -> None:
        """Say that the agent goes; within a few seconds, heard or not."""
        with anyio.move_on_after(_LEAVING, shield=True):
            try:
                path = f"/agents/{self._agent}/status"
                await self._client.ask(Request(method="PUT", path=path, json={"status": "offline"}))
            except (TransportError, CredentialError) as error:
                self._reporter.say(f"that the agent goes was not heard: {error}")
