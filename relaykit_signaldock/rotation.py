"""Rotation of the key by its true age: one process at a time, and at every moment both sides know a key that works.

The intention is stored before the server is asked, its answer the moment it is there, and the old key is given up only
when the new one was seen to work. A crash before the answer was stored is gone on with under the same id: a server that
knows idempotency keys answers the same again, and another one makes another key as long as it takes the old one.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol
from urllib.parse import quote

import anyio

from relaykit.errors import CredentialError, TransportError
from relaykit.model import Credential, Secret, new_id
from relaykit.plugin import ChangesCredentials, KeepsRecords
from relaykit_signaldock.alarm import back_off
from relaykit_signaldock.client import Request
from relaykit_signaldock.failures import DockError, SignedOutError
from relaykit_signaldock.protocol import ShapeError, new_key

if TYPE_CHECKING:
    from relaykit_signaldock.shared import Shared

_HOUR, _SOON = 3600.0, 60.0


class Rotation:
    """Watches the key's age."""

    def __init__(self, shared: Shared) -> None:
        self._name = shared.account.credential
        self._agent = quote(shared.account.agent, safe="")
        self._options = shared.options
        self._client = shared.client
        self._keys = shared.keys
        self._store = shared.context.credentials.store
        self._reporter = shared.reporter
        self._clock = shared.clock
        self._under_way = anyio.Lock()

    async def run(self) -> None:
        """Rotate whenever the key is old enough, for as long as the transport is open."""
        while True:
            try:
                await self.look()
                wait = _HOUR
            except (TransportError, CredentialError, ShapeError) as error:
                self._reporter.trouble("rotation", f"the key is not rotated yet: {error}")
                hopeless = isinstance(error, DockError) and error.final
                wait = _HOUR if hopeless else max(_SOON, getattr(error, "retry_after", None) or 0.0)
            else:
                self._reporter.well("rotation", "the key is rotated")
            await self._clock.sleep(wait)

    async def reload(self) -> None:
        """Take the key that the store has by now: another process may have rotated it."""
        try:
            async with self._under_way:  # who is refused just now may be so because the new key is on its way
                self._keys.swap(await self._stored())
        except CredentialError as error:
            self._reporter.trouble("store", f"the key cannot be read anew: {error}")

    async def _stored(self) -> Secret:
        if not isinstance(self._store, KeepsRecords):
            return await self._store.get(self._name)
        record = await self._store.record(self._name)
        return record.pending or record.secret

    async def look(self) -> None:
        """Rotate if the key is old enough, or if a rotation was begun and cut off."""
        store = self._store
        if not isinstance(store, KeepsRecords) or not isinstance(store, ChangesCredentials):
            return
        if not self._is_due(await store.record(self._name)):
            return
        async with store.alone(self._name) as alone:
            # The one that was faster may have finished between the look and the lock.
            if alone and self._is_due(await store.record(self._name)):
                await self._rotate(store)

    def _is_due(self, record: Credential) -> bool:
        if record.rotation is not None:
            return True
        limit = self._options.key_seconds
        return bool(limit and record.since) and self._clock.now() - record.since >= limit

    async def _rotate(self, store: ChangesCredentials) -> None:
        async with self._under_way:
            record = await self._obtain(store)
        if record.pending is not None:
            await self._confirm(store, record.pending, record.secret)

    async def _obtain(self, store: ChangesCredentials) -> Credential:
        """Have a new key, stored and in use by everybody."""
        with anyio.CancelScope(shield=True):  # what was asked for is stored; the request has an end of its own
            record = await _changed(store, self._name, lambda one: one.rotating(new_id()))
            if record.pending is None:
                key = await self._new_key(store, record)
                record = await _changed(store, self._name, lambda one: one.promised(key))
        if record.pending is not None:
            self._keys.swap(record.pending)
        return record

    async def _new_key(self, store: ChangesCredentials, record: Credential) -> Secret:
        request = Request(
            method="POST",
            path=f"/agents/{self._agent}/rotate-key",
            headers={"Idempotency-Key": record.rotation or ""},
        )
        try:
            answer = await self._client.ask(request, key=record.secret)
        except SignedOutError as error:
            self._client.tell_signed_out(error)
            raise CredentialError(
                f"credential {self._name!r}: a rotation was begun, and the server takes the old key no longer: its "
                f"answer was lost; make a new key there, and store it with `relaykit credentials set {self._name}`"
            ) from error
        except DockError as error:
            if error.final:
                await _changed(store, self._name, Credential.as_before)
            raise
        return Secret(new_key(answer.body))

    async def _confirm(self, store: ChangesCredentials, new: Secret, old: Secret) -> None:
        """Give the old key up once the new one works; the new one, if it does not when the overlap is over."""
        delays, until = back_off(), self._clock.boot() + self._options.key_overlap_seconds
        while not await self._works(new):
            if self._clock.boot() < until:
                await self._clock.sleep(next(delays))
            elif await self._works(old):
                await _changed(store, self._name, Credential.as_before)
                self._keys.swap(old)
                raise CredentialError(
                    f"credential {self._name!r}: the server refuses the key that it made; kept the old"
                )
            else:
                raise CredentialError(f"credential {self._name!r}: the server refuses both the old and the new key")
        await _changed(store, self._name, lambda one: one.promoted(self._clock.now()))
        self._reporter.say(f"the key of credential {self._name!r} is rotated")

    async def _works(self, key: Secret) -> bool:
        try:
            await self._client.ask(Request(method="GET", path=f"/agents/{self._agent}"), key=key)
        except SignedOutError:
            return False
        except DockError as error:
            if not error.final:
                raise
        return True


async def _changed(store: ChangesCredentials, name: str, change: _Change) -> Credential:
    """Change the credential that is there; CredentialError where someone has removed it."""

    def checked(current: Credential | None) -> Credential:
        if current is None:
            raise CredentialError(f"credential {name!r} was removed while it was being rotated")
        return change(current)

    changed = await store.change(name, checked)
    if changed is None:
        raise CredentialError(f"credential {name!r} was not kept")
    return changed


class _Change(Protocol):
    def __call__(self, one: Credential, /) -> Credential: ...
