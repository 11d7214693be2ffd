"""Webhooks: what waits for an agent that is on no stream is posted to its endpoint, in order, until that takes it.

A message is acknowledged once its endpoint has answered well. Killed in between, it is posted again, under the same
delivery id: whoever minds doubles compares those. What an endpoint refuses for good, or does not take in the end, is a
dead letter, and still waits to be polled.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import math
from collections.abc import Callable
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, NamedTuple

import anyio
import httpx

from relaykit.errors import NotFoundError, StoreError
from relaykit_signaldock.alarm import Alarm
from relaykit_signaldock.dock import shapes
from relaykit_signaldock.dock.endpoints import Reach, UnreachableError, resolved
from relaykit_signaldock.dock.records import PLAIN, DeadLetter, Job

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from anyio.abc import TaskGroup

    from relaykit.model import InboxItem
    from relaykit.plugin import Clock, Mailbox
    from relaykit_signaldock.dock.feed import Feed
    from relaykit_signaldock.dock.records import DockAgent
    from relaykit_signaldock.dock.store import Store

ATTEMPTS = 6
FIRST_SECONDS, LONGEST_SECONDS = 1.0, 32.0
"""Between two tries: 1, 2, 4, 8 and 16 seconds, and never more than this."""
ANSWER_SECONDS = 30.0
"""That an endpoint has for its answer, from its name to the end of its headers, however slowly they come."""
_AT_ONCE = 16
_PAGE = 50
_LOOK_SECONDS = 60.0
"""After which it is looked again in any case: a stream that ended leaves its agent to its endpoint."""
_AGAIN_SECONDS = 1.0


class Refusal(NamedTuple):
    """Why an endpoint did not take a message."""

    reason: str
    is_final: bool = False


class Webhooks:
    """Posts for all agents, one message of each at a time."""

    def __init__(
        self,
        mailbox: Mailbox,
        store: Store,
        clock: Clock,
        feed: Feed,
        http: httpx.AsyncClient,
        *,
        reach: Reach,
        report: Callable[[str], None],
    ) -> None:
        self._mailbox = mailbox
        self._store = store
        self._clock = clock
        self._feed = feed
        self._http = http
        self._reach = reach
        self._report = report
        self._alarm = Alarm(clock)
        self._busy: set[str] = set()

    def look(self) -> None:
        """Look now: an endpoint has changed, or a dead letter is to be tried once more."""
        self._alarm.ring()

    async def listen(self) -> None:
        """Look whenever the mailbox has changed, for ever."""
        async with self._mailbox.watch() as watch:
            while True:
                await watch.wait()
                self._alarm.ring()

    async def run(self) -> None:
        """Post for ever."""
        async with anyio.create_task_group() as tasks:
            while True:
                try:
                    wait = await self._round(tasks)
                except StoreError as error:
                    self._report(f"webhooks wait: {error}")
                    wait = _AGAIN_SECONDS
                await self._alarm.wait(wait)

    async def _round(self, tasks: TaskGroup) -> float:
        """Begin with what is due; return the seconds until more is."""
        self._store.look()
        soonest = _LOOK_SECONDS
        for agent in self._store.agents():
            if agent.endpoint and agent.id not in self._busy and not self._feed.streaming(agent.id):
                soonest = min(soonest, await self._look(tasks, agent))
        return soonest

    async def _look(self, tasks: TaskGroup, agent: DockAgent) -> float:
        item = await self._first(agent.id)
        if item is None:
            return math.inf
        job = self._store.job(agent.id)
        job = job if job and job.message == item.message.id else Job(message=item.message.id)
        if (wait := job.due_at - self._clock.now()) > 0:
            return min(wait, LONGEST_SECONDS)  # the clock may have jumped
        if len(self._busy) < _AT_ONCE:  # whoever ends looks again
            self._busy.add(agent.id)
            tasks.start_soon(self._deliver, agent, item, job, name=f"dock: webhook of {agent.id}")
        return math.inf

    async def _first(self, agent: str) -> InboxItem | None:
        """Return the oldest message that waits for an agent and is no dead letter."""
        dead, after = {letter.message for letter in self._store.dead_letters(agent)}, 0
        while items := await self._mailbox.unread(agent, after=after, limit=_PAGE):
            if found := next((item for item in items if item.message.id not in dead), None):
                return found
            after = items[-1].delivery.id
        return None

    async def _deliver(self, agent: DockAgent, item: InboxItem, job: Job) -> None:
        try:
            await self._conclude(agent, item, job, await self._post(agent, item))
        except StoreError as error:
            self._report(f"the webhook of {agent.id} waits: {error}")
            await self._clock.sleep(_AGAIN_SECONDS)
        except NotFoundError:
            pass  # the agent has gone meanwhile
        finally:
            self._busy.discard(agent.id)
            self._alarm.ring()

    async def _conclude(self, agent: DockAgent, item: InboxItem, job: Job, refusal: Refusal | None) -> None:
        now, attempts = self._clock.now(), job.attempts + 1
        if refusal is None:
            await self._mailbox.take(agent.id, [item.message.id], "its endpoint took it")
        elif refusal.is_final or attempts >= ATTEMPTS:
            self._report(f"a message to {agent.id} is a dead letter: {refusal.reason}")
            self._store.bury(
                agent.id, DeadLetter(message=item.message.id, attempts=attempts, reason=refusal.reason, at=now)
            )
        else:
            due = now + min(FIRST_SECONDS * 2.0**job.attempts, LONGEST_SECONDS)
            self._store.note_job(agent.id, Job(message=item.message.id, attempts=attempts, due_at=due))

    async def _post(self, agent: DockAgent, item: InboxItem) -> Refusal | None:
        body = self._body(item)
        try:
            with anyio.fail_after(ANSWER_SECONDS):
                status = await self._status(agent, body, self._headers(agent, item, body))
        except UnreachableError as error:
            return Refusal(str(error))
        except TimeoutError:
            return Refusal(f"{agent.endpoint} did not answer within {ANSWER_SECONDS:g} s")
        except httpx.HTTPError as error:
            return Refusal(f"{agent.endpoint} was not reached: {str(error) or type(error).__name__}")
        except Exception as error:  # noqa: BLE001 - whatever an agent has named as its endpoint, it ends nobody else's work
            return Refusal(f"{agent.endpoint} cannot be called: {error!r}", is_final=True)
        if httpx.codes.is_success(status):
            return None
        return Refusal(f"{agent.endpoint} answered {status}", is_final=status < 500)  # noqa: PLR2004 - HTTP's own

    async def _status(self, agent: DockAgent, body: bytes, headers: dict[str, str]) -> int:
        place = await resolved(agent.endpoint, self._reach)
        request = self._http.build_request(
            "POST",
            place.request_url,
            content=body,
            headers={"Host": place.url.netloc.decode(), **headers},
            extensions={"sni_hostname": place.url.host},
        )
        answer = await self._http.send(request, stream=True)
        await answer.aclose()  # what it says besides is not read
        return answer.status_code

    def _body(self, item: InboxItem) -> bytes:
        said = self._store.annotations([item.message.id]).get(item.message.id, PLAIN)
        shape = shapes.message(item.message, delivery=item.delivery, said=said)
        data = {
            "messageId": shape["id"],
            "conversationId": shape["conversationId"],
            "from": {"agentId": shape["fromAgentId"], "name": shape["fromAgentName"]},
            **{name: shape[name] for name in ("content", "contentType", "createdAt")},
            "attachments": shape.get("attachments", []),
        }
        sent = {"event": "message.received", "timestamp": shapes.moment(self._clock.now()), "data": data}
        return json.dumps(sent).encode()

    def _headers(self, agent: DockAgent, item: InboxItem, body: bytes) -> dict[str, str]:
        at = str(int(self._clock.now()))
        return {
            "Content-Type": "application/json",
            "X-SignalDock-Delivery-Id": f"delivery:{item.delivery.id}",
            "X-SignalDock-Timestamp": at,
            "X-SignalDock-Signature": f"sha256={signature(agent.secret, body, at)}",
        }


def signature(secret: str, body: bytes, at: str) -> str:
    """Return what a message is signed with: HMAC-SHA256 over the body and the time in its header."""
    return hmac.new(secret.encode(), body + at.encode(), hashlib.sha256).hexdigest()


@asynccontextmanager
async def webhook_client() -> AsyncIterator[httpx.AsyncClient]:
    """Open what posts: no redirects, no proxies, no cookies that stay."""
    async with httpx.AsyncClient(
        timeout=None,  # noqa: S113 - ANSWER_SECONDS bounds a whole post
        follow_redirects=False,  # elsewhere is nowhere that anyone has looked at
        trust_env=False,
        headers={"User-Agent": "SignalDock-Webhook/1.0"},
        limits=httpx.Limits(max_connections=_AT_ONCE, max_keepalive_connections=0),
    ) as http:
        yield http
