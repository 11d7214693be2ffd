"""A SignalDock server on loopback that a test scripts: it keeps the wire, or breaks it as it is told."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import Enum
from functools import partial
from typing import TYPE_CHECKING, Any

import anyio
from anyio.abc import SocketAttribute

from relaykit.testing.dock_http import Received, Reply, converse

if TYPE_CHECKING:
    from anyio.abc import SocketStream
    from anyio.streams.memory import MemoryObjectSendStream

SECONDS = 20.0
_START = 1_750_000_000.0
_PAGE = 50


class Trouble(Enum):
    """What goes wrong in place of an answer."""

    DROP = "the connection is broken off, and nothing was done"
    LOSE = "it was done, and the connection is broken off before the answer"
    HANG = "no answer ever comes"


Action = Reply | Trouble


def error(status: int, code: str = "", message: str = "no", **more: str) -> Reply:
    """Return an answer with the error envelope; what is more are headers, with ``_`` for ``-``."""
    body = {"success": False, "error": {"code": code, "message": message, "category": "X", "retryable": False}}
    headers = {name.replace("_", "-"): value for name, value in more.items()}
    return Reply(status=status, body=json.dumps(body).encode(), headers=headers)


def _good(headers: Mapping[str, str] | None = None, **data: Any) -> Reply:
    return Reply(body=json.dumps({"success": True, "data": data}).encode(), headers=headers or {})


def union(row: Mapping[str, Any]) -> dict[str, Any]:
    """Return the payload of a stream that every client can read."""
    sender, conversation, created = row["fromAgentId"], row["conversationId"], row["createdAt"]
    return {
        "id": row["id"],
        "messageId": row["id"],
        "content": row["content"],
        "contentType": "text",
        "from": sender,
        "fromAgentId": sender,
        "from_agent_id": sender,
        "conversationId": conversation,
        "conversation_id": conversation,
        "threadId": conversation,
        "createdAt": created,
        "created_at": created,
        "timestamp": created,
    }


@dataclass
class ScriptedDock:
    """The server of one agent, ``bob``.

    Attributes:
        url: Where it listens.
        keys: The keys that it takes.
        rows: The messages that it has, as REST shows them, oldest first.
        acked: The ids that were acknowledged.
        posted: What was sent to it, as it stored it.
        requests: Every request, in order.
        statuses: What the agent's presence was said to be.
        overlap: Whether a rotation leaves the old key good.
        knows_keys: Whether it knows idempotency keys, and says so.
        has_stream: Whether there is a stream.
        payload: Makes a row the payload of the stream.
        connections: How many are open.
        forgets_acks: Whether it takes acknowledgements and does nothing about them.
    """

    url: str = ""
    keys: set[str] = field(default_factory=lambda: {"sk_live_bob"})
    rows: list[dict[str, Any]] = field(default_factory=list)
    acked: set[str] = field(default_factory=set)
    posted: list[dict[str, Any]] = field(default_factory=list)
    requests: list[Received] = field(default_factory=list)
    statuses: list[str] = field(default_factory=list)
    overlap: bool = True
    knows_keys: bool = True
    has_stream: bool = True
    forgets_acks: bool = False
    payload: Callable[[Mapping[str, Any]], Any] = union
    connections: int = 0
    _scripts: dict[str, list[Action]] = field(default_factory=lambda: defaultdict(list))
    _streams: list[MemoryObjectSendStream[bytes]] = field(default_factory=list)
    _answered: dict[str, Reply] = field(default_factory=dict)
    _changed: anyio.Event = field(default_factory=anyio.Event)

    def on(self, request: str, *actions: Action) -> None:
        """Answer the next requests that begin so, such as ``POST /messages/ack``, with these."""
        self._scripts[request] += actions

    def tell(self, content: str, *, sender: str = "alice", stream: bool = True, **more: Any) -> dict[str, Any]:
        """Have a message for the agent; it is in the stream, too, unless that is not wanted."""
        number = len(self.rows) + 1
        created = datetime.fromtimestamp(_START + number, UTC).isoformat()
        row = {
            "id": f"m{number}",
            "fromAgentId": sender,
            "toAgentId": "bob",
            "content": content,
            "conversationId": f"c-{sender}",
            "createdAt": created,
            "status": "pending",
            **more,
        }
        self.rows.append(row)
        if stream:
            self.frame(row)
        self.touch()
        return row

    def frame(self, row: Mapping[str, Any]) -> None:
        """Send a row through the open streams."""
        self.raw(f"id: {row['id']}\nevent: message\ndata: {json.dumps(self.payload(row))}\n\n".encode())

    def raw(self, data: bytes) -> None:
        """Send bytes through the open streams."""
        for stream in list(self._streams):
            try:
                stream.send_nowait(data)
            except anyio.BrokenResourceError:  # whoever read it is gone
                self._streams.remove(stream)
                stream.close()

    def cut_streams(self) -> None:
        """End the open streams."""
        for stream in self._streams:
            stream.close()
        self._streams.clear()

    @property
    def open_streams(self) -> int:
        """How many streams are read."""
        return sum(stream.statistics().open_receive_streams for stream in self._streams)

    def said(self, request: str) -> list[Received]:
        """Return the requests that begin so."""
        return [one for one in self.requests if str(one).startswith(request)]

    async def until(self, holds: Callable[[], bool], seconds: float = SECONDS) -> None:
        """Return once something holds; it is looked at after every request and every ``touch``."""
        with anyio.fail_after(seconds):
            while not holds():
                await self._changed.wait()

    async def converse(self, socket: SocketStream) -> None:
        """Serve one connection."""
        self.connections += 1
        try:
            await converse(socket, self.handle)
        finally:
            self.connections -= 1
            self.touch()

    async def handle(self, request: Received) -> Reply | None:
        """Answer a request as the script or the wire has it."""
        self.requests.append(request)
        action = self._scripted(request)
        if action is Trouble.HANG:
            self.touch()
            await anyio.sleep_forever()
        reply = action if isinstance(action, Reply) else None
        if action is None or action is Trouble.LOSE:
            reply = self._wire(request)
        self.touch()
        return None if isinstance(action, Trouble) else reply

    def _scripted(self, request: Received) -> Action | None:
        for beginning, actions in self._scripts.items():
            if actions and str(request).startswith(beginning):
                return actions.pop(0)
        return None

    def touch(self) -> None:
        """Have whoever waits in ``until`` look again."""
        changed, self._changed = self._changed, anyio.Event()
        changed.set()

    def _wire(self, request: Received) -> Reply:
        key = request.headers.get("authorization", "").removeprefix("Bearer ") or request.query.get("token")
        if key not in self.keys:
            return error(401, "E_AUTH_INVALID_TOKEN", "the key is not known")
        first, *rest = request.parts
        answers = {"agents": self._of_agents, "messages": self._of_messages, "conversations": self._of_conversations}
        reply = answers[first](request, rest) if first in answers else None
        return reply or error(404, "E_NOT_FOUND_RESOURCE", str(request))

    def _of_agents(self, request: Received, rest: list[str]) -> Reply | None:
        match request.method, *rest:
            case "GET", agent:
                return _good(agent={"agentId": agent, "status": "online"})
            case ("POST", _, "heartbeat") | ("PUT", _, "status"):
                self.statuses.append(request.json["status"])
                return _good()
            case "POST", _, "rotate-key":
                return self._once(request, self._rotate)
        return None

    def _of_messages(self, request: Received, rest: list[str]) -> Reply | None:
        match request.method, *rest:
            case ("GET", "peek"):
                return _good(messages=self._peek(request.query))
            case ("POST", "ack"):
                self.acked |= set() if self.forgets_acks else set(request.json["messageIds"])
                return _good()
            case ("GET", "stream"):
                return self._stream()
            case ("POST",):
                return self._once(request, partial(self._post, request, f"c-{request.json.get('toAgentId')}"))
        return None

    def _of_conversations(self, request: Received, rest: list[str]) -> Reply | None:
        match request.method, *rest:
            case "POST", conversation, "messages":
                return self._once(request, partial(self._post, request, conversation))
            case "GET", conversation, "messages":
                return _good(messages=self._conversation(conversation, request.query))
            case ("GET",):
                names = {row["conversationId"]: sorted({"bob", row["toAgentId"]}) for row in self.posted}
                return _good(conversations=[{"id": name, "participants": both} for name, both in names.items()])
        return None

    def _once(self, request: Received, do: Callable[[], dict[str, Any]]) -> Reply:
        key = request.headers.get("idempotency-key")
        if not self.knows_keys or key is None:
            return _good(**do())
        if key not in self._answered:
            self._answered[key] = _good({"Idempotency-Key": key}, **do())
        return self._answered[key]

    def _rotate(self) -> dict[str, Any]:
        new = f"sk_live_bob_{len(self.said('POST /agents/bob/rotate-key'))}"
        self.keys = {*(self.keys if self.overlap else ()), new}
        return {"apiKey": new}

    def _post(self, request: Received, conversation: str) -> dict[str, Any]:
        body = request.json
        row = {"id": f"s{len(self.posted) + 1}", "fromAgentId": "bob", "conversationId": conversation, **body}
        self.posted.append({"toAgentId": "group", **row})
        return {"message": row}

    def _peek(self, query: Mapping[str, str]) -> list[dict[str, Any]]:
        rows = [row for row in self.rows if row["id"] not in self.acked and row["toAgentId"] == "bob"]
        if since := query.get("since"):
            after = next((row["createdAt"] for row in self.rows if row["id"] == since), "")
            rows = [row for row in rows if row["createdAt"] > after]
        return rows[: int(query.get("limit", _PAGE))]

    def _conversation(self, conversation: str, query: Mapping[str, str]) -> list[dict[str, Any]]:
        rows = [row for row in (*self.rows, *self.posted) if row["conversationId"] == conversation]
        rows = [{"createdAt": "2025-06-15T00:00:00Z", **row} for row in rows]
        begin = int(query.get("offset", 0))
        return rows[::-1][begin : begin + int(query.get("limit", _PAGE))]

    def _stream(self) -> Reply:
        if not self.has_stream:
            return error(404, "E_NOT_FOUND_RESOURCE", "no stream here")
        send, receive = anyio.create_memory_object_stream[bytes](100_000)
        self._streams.append(send)
        send.send_nowait(b'event: connected\ndata: {"agentId": "bob"}\n\n')
        return Reply(pieces=receive)


@asynccontextmanager
async def scripted_dock() -> AsyncIterator[ScriptedDock]:
    """Run a server on a free port of loopback."""
    dock = ScriptedDock()
    listener = await anyio.create_tcp_listener(local_host="127.0.0.1", local_port=0)
    dock.url = f"http://127.0.0.1:{listener.extra(SocketAttribute.local_port)}"  # noqa: S610 - no SQL
    async with listener, anyio.create_task_group() as tasks:
        tasks.start_soon(partial(listener.serve, dock.converse), name="scripted dock")
        try:
            yield dock
        finally:
            dock.cut_streams()
            tasks.cancel_scope.cancel()
