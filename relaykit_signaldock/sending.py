"""The way out: until the server took it, at most twice where the server cannot tell a second copy from a first."""

from __future__ import annotations

import json
from collections import defaultdict
from contextlib import nullcontext
from typing import TYPE_CHECKING
from urllib.parse import quote, unquote

import anyio
from msgspec import Struct

from relaykit.errors import StoreError, TransportError, TransportRefusedError
from relaykit.plugin import Receipt
from relaykit_signaldock.client import Request
from relaykit_signaldock.failures import DockError, LostError
from relaykit_signaldock.protocol import Sent, ShapeError, document, sent

if TYPE_CHECKING:
    from collections.abc import Sequence

    from relaykit.model import Message
    from relaykit_signaldock.attaching import Files
    from relaykit_signaldock.protocol import Incoming
    from relaykit_signaldock.shared import Shared

_CONVERSATION = "conversation:"
_LOOK_BACK = 50
_KEY = "Idempotency-Key"
_MOST_BYTES = 4 * 2**20
"""Of a body. A dock closes on more without reading it, and a sender that still writes sees no answer to that."""
_DOUBT = "at a second try; the first may have arrived, too, since the server knows no idempotency keys"


class Target(Struct, frozen=True):
    """Where a message goes."""

    agent: str | None
    conversation: str | None

    @property
    def path(self) -> str:
        """Where it is posted."""
        if self.conversation is None:
            return "/messages"
        return f"/conversations/{quote(self.conversation, safe='')}/messages"

    def __str__(self) -> str:
        return self.agent or f"conversation {self.conversation}"


class Sender:
    """Sends for one account."""

    def __init__(self, shared: Shared, files: Files) -> None:
        self._files = files
        self._name = shared.name
        self._account = shared.account
        self._groups = shared.options.groups
        self._client = shared.client
        self._state = shared.state
        self._knows_keys = False
        """Whether this server has shown that it knows idempotency keys."""
        self._locks: defaultdict[str, anyio.Lock] = defaultdict(anyio.Lock)

    def reaches(self, recipient: str) -> bool:
        """Whether that is somebody at the server."""
        name, at, transport = recipient.rpartition("@")
        return bool(name and at) and transport == self._name

    async def send(self, message: Message, recipient: str) -> Receipt:
        """Return once the server took the message.

        Raises:
            TransportError: Not this time.
            TransportRefusedError: Never, with the server's reason.
        """
        if not self.reaches(recipient):
            raise TransportError(f"{recipient} is nobody beyond {self._name}")
        target = self._target(message, recipient)
        # What several recipients have in one conversation stays in order, and a copy there is not taken for another's.
        lock = nullcontext() if target.conversation is None else self._locks[target.conversation]
        try:
            async with lock:
                return await self._send(target, message, recipient)
        except StoreError as error:
            raise TransportError(str(error)) from error

    async def _send(self, target: Target, message: Message, recipient: str) -> Receipt:
        earlier = self._state.sent(message.id, recipient)
        if earlier is not None and earlier.id is not None:
            return self._receipt(target, earlier.id, "before this process began")
        message, files = await self._files.upload(message)
        if earlier is not None and (found := await self._look_up(target, message, recipient)):
            self._state.took(message.id, recipient, found.id, found.conversation)
            return self._receipt(target, found.id, "at an earlier try, whose answer was lost")
        request = self._request(target, message, recipient, files)
        self._state.trying(message.id, recipient, message.thread)
        taken = await self._post(request, message, recipient)
        self._state.took(message.id, recipient, taken.id, taken.conversation or target.conversation)
        doubt = earlier is not None and not self._knows_keys
        return self._receipt(target, taken.id, _DOUBT if doubt else "")

    def _request(self, target: Target, message: Message, recipient: str, files: Sequence[object]) -> Request:
        body = self._body(target, message) | ({"attachments": files} if files else {})
        content = json.dumps(body, ensure_ascii=False).encode()
        if len(content) > _MOST_BYTES:
            raise TransportRefusedError(f"as JSON it has {len(content)} bytes, and at most {_MOST_BYTES} can be sent")
        key = quote(f"{message.id}/{recipient}", safe="/@")
        headers = {_KEY: key, "Content-Type": "application/json"}
        return Request(method="POST", path=target.path, content=content, headers=headers)

    async def _post(self, request: Request, message: Message, recipient: str) -> Sent:
        try:
            answer = await self._client.ask(request)
        except LostError:
            raise  # it may have arrived: the note of the try stays
        except DockError as error:
            self._state.not_sent(message.id, recipient)
            if error.final:
                raise TransportRefusedError(str(error)) from error
            raise
        except TransportError:
            self._state.not_sent(message.id, recipient)
            raise
        self._knows_keys = _KEY.lower() in {name.lower() for name in answer.headers}
        return sent(answer.body)

    def _target(self, message: Message, recipient: str) -> Target:
        name = recipient.rpartition("@")[0]
        if name.startswith(_CONVERSATION):
            return Target(None, unquote(name.removeprefix(_CONVERSATION)))
        begins = f"{self._name}/"
        conversation = message.thread.removeprefix(begins) if message.thread.startswith(begins) else None
        if conversation in self._groups:
            return Target(None, conversation)  # an answer to what a group asked is for the group
        return Target(unquote(name), conversation)

    def _body(self, target: Target, message: Message) -> dict[str, object]:
        body: dict[str, object] = {"content": message.body, "metadata": {"relaykitId": message.id}}
        if target.agent is not None:
            body["toAgentId"] = target.agent
        if target.conversation is not None and target.agent is not None and message.in_reply_to:
            body["replyTo"] = message.in_reply_to[0]
        return body

    async def _look_up(self, target: Target, message: Message, recipient: str) -> Incoming | None:
        """Return the copy that an earlier try left at the server, if it is found among the last of its conversation."""
        conversation = target.conversation or self._state.conversation_with(recipient) or await self._between(target)
        if self._knows_keys or conversation is None:
            return None
        path = f"/conversations/{quote(conversation, safe='')}/messages"
        page, _ = await self._client.page(path, _LOOK_BACK, sort="desc")
        own = (one for one in page.messages if one.sender == self._account.agent and one.content == message.body)
        return next((one for one in own if self._state.by_id(one.id) is None), None)

    async def _between(self, target: Target) -> str | None:
        """Return the conversation of the two, where the server lists it."""
        try:
            answer = await self._client.ask(Request(method="GET", path="/conversations"))
            about = document(answer.body)
        except (DockError, ShapeError):
            return None
        rows = about.get("conversations", about.get("items"))
        both = {self._account.agent, target.agent}
        for row in rows if isinstance(rows, list) else ():
            people = row.get("participants") if isinstance(row, dict) else None
            if isinstance(people, list) and all(isinstance(one, str) for one in people) and set(people) == both:
                return row["id"] if isinstance(row.get("id"), str) else None
        return None

    def _receipt(self, target: Target, id: str | None, note: str) -> Receipt:
        under = f" as {id}" if id else ""
        return Receipt(detail=" ".join(f"{self._account.url} took it for {target}{under}{note and f' {note}'}".split()))
