"""What a command of a plugin is lent: the mailbox, the clock, and a listener behind the guard."""

from __future__ import annotations

from contextlib import asynccontextmanager, closing
from functools import cached_property
from typing import TYPE_CHECKING

import anyio

from relaykit.builtin.routing import AddressRouter
from relaykit.cli.output import complain
from relaykit.config import Config, load, peek
from relaykit.config.records import Retention
from relaykit.errors import ConfigError
from relaykit.mailbox.schema import FILE
from relaykit.mailbox.sqlite import open_mailbox
from relaykit.model import Limits, Secret
from relaykit.relay import housekeeping
from relaykit.relay.clock import SystemClock
from relaykit.relay.directories import private_directory, private_home
from relaykit.server.passes import user_token
from relaykit.storage.attachments import LentAttachments

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from relaykit.plugin import AttachmentStore, Clock, Mailbox, Router, Site, Tls


class Lending:
    """Lends what the command line of this home has.

    Args:
        name: The command's; its directory in the home is called so.
    """

    def __init__(self, name: str) -> None:
        self._name = name
        self.clock: Clock = SystemClock()

    @cached_property
    def home(self) -> Path:
        """Return a directory of the command's own."""
        return private_directory(self._house / "commands" / self._name)

    @cached_property
    def _house(self) -> Path:
        return private_home(peek().home)

    @cached_property
    def attachments(self) -> AttachmentStore:
        """Return the contents of files that messages name."""
        return LentAttachments(self._house)

    @asynccontextmanager
    async def mailbox(self, *routers: Router) -> AsyncIterator[Mailbox]:
        """Open the mailbox of this home, kept swept."""
        limits, retention = _settings()
        routers = (AddressRouter(), *routers)
        opened = open_mailbox(self._house / FILE, routers=routers, limits=limits, now=self.clock.now)
        failure: Exception | None = None
        async with opened as mailbox, anyio.create_task_group() as tasks:
            tasks.start_soon(housekeeping.sweep_mailbox, mailbox, self.clock, retention, name="retention")
            try:
                yield mailbox
            except Exception as error:  # noqa: BLE001 - it is raised below, as it was and not in a group
                failure = error
            tasks.cancel_scope.cancel()
        if failure is not None:
            raise failure

    @asynccontextmanager
    async def serve(self, site: Site, listen: str, *, tls: Tls | None = None) -> AsyncIterator[str]:
        """Listen at HOST:PORT behind the guard; yield the address."""
        from relaykit.server.binding import bind  # noqa: PLC0415 - as below
        from relaykit.server.guard import Guard  # noqa: PLC0415 - a command that does not listen pays for none
        from relaykit.server.listening import serving  # noqa: PLC0415 - as above
        from relaykit.server.origins import Address, Hosts  # noqa: PLC0415 - as above

        bound, address = bind(Address.parse(listen, "--listen"), "--listen")
        names = tuple(name.lower() for name in site.names)
        guard = Guard(site, Hosts(address, names))
        with closing(bound):
            async with serving(guard, bound, connections=site.connections, tls=tls, quick=True):
                if not address.is_loopback and tls is None:
                    self.report(f"{address.host}:{address.port}: others can reach it, and what passes is not encrypted")
                yield address.url if tls is None else address.url.replace("http:", "https:", 1)

    def person_token(self) -> Secret:
        """Return the token of the person at this machine."""
        return user_token(self._house)

    def report(self, line: str) -> None:
        """Say a line on standard error."""
        complain(line)


def _settings() -> tuple[Limits, Retention]:
    about = peek()
    if about.file is None:
        return Limits(), Retention()
    config: Config = load(about.file)
    if config.mailbox.use != "sqlite":
        raise ConfigError(
            f"{about.file}: mailbox.use: commands open sqlite mailboxes alone, not {config.mailbox.use!r}"
        )
    return config.limits, config.retention
