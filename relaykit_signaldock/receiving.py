"""The way in: stored in the mailbox first, acknowledged to the server after, once each whatever way it came."""

from __future__ import annotations

import math
from collections import OrderedDict
from collections.abc import Collection, Mapping
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from msgspec.structs import replace

from relaykit.errors import ConflictError, NotFoundError, RefusedError, StoreError
from relaykit.model import Draft
from relaykit_signaldock.attaching import incoming
from relaykit_signaldock.client import Request
from relaykit_signaldock.commanding import NotTakenError, order, structured

if TYPE_CHECKING:
    from relaykit_signaldock.protocol import Incoming
    from relaykit_signaldock.shared import Shared

_REMEMBERED = 5000
_FIRST, _LONGEST = 1.0, 300.0
_TOLD = 10


class Remembered:
    """The last few thousand ids of something: spares work, while the mailbox is what keeps doubles out."""

    def __init__(self) -> None:
        self._ids: OrderedDict[str, None] = OrderedDict()

    def add(self, ids: Collection[str]) -> None:
        """Remember them, and forget the oldest ones."""
        self._ids.update(dict.fromkeys(ids))
        while len(self._ids) > _REMEMBERED:
            self._ids.popitem(last=False)

    def __contains__(self, id: object) -> bool:
        return id in self._ids


class Receiver:
    """Takes messages in for one account."""

    def __init__(self, shared: Shared) -> None:
        self._context = shared.context
        self._agent = shared.account.agent
        self._to = shared.options.deliver_to or shared.account.agent
        self._trusted = frozenset(shared.options.commands_from)
        self._client = shared.client
        self._state = shared.state
        self._reporter = shared.reporter
        self._taken = Remembered()
        self.acknowledged = Remembered()
        self._stuck: dict[str, tuple[float, float]] = {}
        """By key: when to try again, and how long to wait after that."""

    async def take(self, message: Incoming) -> bool:
        """Store a message; return whether it may be acknowledged. One that fails is tried again, and fails alone."""
        if message.key in self._taken or message.sender == self._agent:  # own ones are signs of life
            return True
        now = self._context.clock.boot()
        again, delay = self._stuck.get(message.key, (now, _FIRST))
        if now < again:
            return False
        try:
            await self._store(message)
        except (RefusedError, StoreError) as error:
            self._stuck[message.key] = (now + delay, min(delay * 2, _LONGEST))
            about = f"message {message.id} from {message.sender} is not taken in: {error}; it stays at the server"
            self._reporter.trouble(self._topic(message.key), about)
            return False
        self._reporter.well(self._topic(message.key), f"message {message.id} from {message.sender} is taken in now")
        self._stuck.pop(message.key, None)
        self._taken.add([message.key])
        return True

    def next_try(self) -> float:
        """Return the seconds until a message that failed is to be tried again, which is when it is looked for."""
        now = self._context.clock.boot()
        return min((again - now for again, _ in self._stuck.values() if again > now), default=math.inf)

    async def _store(self, message: Incoming) -> None:
        """Put a message in, or obey it where it is a command of someone whom the options trust."""
        said = structured(message)
        why = await self._obey(message, said) if said is not None else None
        if said is None or why is not None:
            note = f"\n\n[A command, not taken as one: {why}]" if why else ""
            draft = self._draft(message)
            await self._context.intake.put(replace(draft, body=draft.body + note))

    async def _obey(self, message: Incoming, said: Mapping[str, Any]) -> str | None:
        """Order what a command says; return why it is no more than a message."""
        if message.sender not in self._trusted:
            why = f"{message.sender} is not in commands_from of transports.{self._context.name}"
            self._reporter.say(f"message {message.id} is a command, and stays a message: {why}")
            return why
        try:
            what = order(said, self._agent)
            sender = f"{quote(message.sender, safe='')}@{self._context.name}"
            intake, about = self._context.intake, {"text": what.text, "sender": sender, "id": message.key}
            await intake.order(self._to, what.kind, **about)
        except (NotTakenError, NotFoundError, ConflictError) as error:
            return str(error)
        self._reporter.say(f"{sender} orders: {what.kind.value} {self._to}")
        return None

    def _topic(self, key: str) -> str:
        """Return what a person is told a message's trouble under: a few alone, a flood as one."""
        return f"message {key}" if len(self._stuck) <= _TOLD else "many messages"

    async def acknowledge(self, ids: Collection[str]) -> None:
        """Tell the server that messages are stored. Where it does not hear it, it shows them again."""
        if ids:
            await self._client.ask(Request(method="POST", path="/messages/ack", json={"messageIds": list(ids)}))
            self.acknowledged.add(ids)

    def _draft(self, message: Incoming) -> Draft:
        files, missing = incoming(message.attachments)
        known = self._state.by_id(message.reply_to) if message.reply_to else None
        conversation = f"{self._context.name}/{message.conversation}" if message.conversation else None
        return Draft(
            id=message.key,
            sender=f"{quote(message.sender, safe='')}@{self._context.name}",
            to=self._to,
            body=_body(message, missing),
            attachments=files,
            thread=known.thread if known else conversation,
            in_reply_to=(known.message,) if known else (),
            account=self._agent,
        )


def _body(message: Incoming, missing: Collection[str]) -> str:
    return f"{message.content}\n\n[attached, and not fetched: {', '.join(missing)}]" if missing else message.content
