"""The credential store ``file``: encrypted, in the relay's home."""

from __future__ import annotations

from contextlib import asynccontextmanager
from functools import partial
from typing import TYPE_CHECKING, Any

import anyio.to_thread

from relaykit.builtin.credential_file import CredentialFile
from relaykit.builtin.credential_records import checked_name, info
from relaykit.builtin.use_marks import UseMarks

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Mapping, Sequence

    from relaykit.model import Credential, CredentialInfo, Secret
    from relaykit.plugin import Clock, Context

_in_thread = anyio.to_thread.run_sync


class FileCredentials:
    """Credentials sealed with AES-256-GCM, beside the key of this machine, both readable by their owner alone.

    The key beside the lock keeps secrets out of backups of the one file, and from whoever reads a file by mistake; it
    is no protection from whoever may read all that its owner may.
    """

    def __init__(self, file: CredentialFile, marks: UseMarks, clock: Clock) -> None:
        self._file = file
        self._marks = marks
        self._clock = clock

    async def get(self, name: str) -> Secret:
        """Return the secret of that name; CredentialError."""
        return (await self.record(name)).secret

    async def names(self) -> Sequence[str]:
        """Return the names of all credentials, sorted."""
        return await _in_thread(self._file.names)

    async def record(self, name: str) -> Credential:
        """Return the whole credential; CredentialError."""
        return await _in_thread(self._file.get, name)

    async def credentials(self) -> Sequence[CredentialInfo]:
        """Return what may be shown of each, sorted by name."""
        found = await _in_thread(self._file.read)
        return [info(name, found[name], self._marks.at(name)) for name in sorted(found)]

    async def mark_used(self, name: str) -> None:
        """Note that something signs in with it now."""
        await _in_thread(self._marks.mark, checked_name(name), self._clock.now())

    async def change(self, name: str, change: Callable[[Credential | None], Credential | None]) -> Credential | None:
        """Replace a credential by what ``change`` makes of it."""
        changed = await _in_thread(self._file.change, name, change)
        if changed is None:
            await _in_thread(self._marks.remove, name)
        return changed

    @asynccontextmanager
    async def alone(self, name: str) -> AsyncIterator[bool]:
        """Be the only one of all processes that rotates this credential."""
        with self._file.alone(name) as held:
            yield held

    async def rotate_machine_key(self) -> int:
        """Seal everything with a new key."""
        return await _in_thread(self._file.rotate)


@asynccontextmanager
async def open_file_credentials(_options: Mapping[str, Any], context: Context) -> AsyncIterator[FileCredentials]:
    """Open the store; nothing is read before it is asked for, so that one that is not used may be damaged."""
    make = partial(FileCredentials, CredentialFile(context.home), UseMarks(context.home / "used"))
    yield make(context.clock)
