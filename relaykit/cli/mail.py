"""The mailbox for a command: by its synchronous door, without an event loop."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from relaykit.builtin.routing import AddressRouter
from relaykit.cli.home import is_missing
from relaykit.config import peek
from relaykit.errors import ConfigError
from relaykit.mailbox.door import empty_door, open_door
from relaykit.mailbox.schema import FILE

if TYPE_CHECKING:
    from collections.abc import Iterator

    from relaykit.config import Peek
    from relaykit.mailbox.door import Door
    from relaykit.model import Limits

LONGEST = 3600.0
"""Seconds of one wait for the doorbell: the kernel refuses what is much longer."""


@contextmanager
def mailbox(*, make: bool = False) -> Iterator[Door]:
    """Open the mailbox of the home; where there is none and it is not to be made, one that is empty.

    Raises:
        ConfigError: The configuration says that another one is used, which this cannot open.
    """
    about = peek()
    limits = None if about.plain else _limits(about)
    if not make and is_missing(about.home / FILE):
        with empty_door() as door:
            yield door
        return
    with open_door(about.home, routers=(AddressRouter(),), limits=limits) as door:
        yield door


def _limits(about: Peek) -> Limits:
    """Return the configured limits: what the configuration says of the mailbox is looked at in full."""
    from relaykit.config import load  # noqa: PLC0415 - costs as much as all the rest, and few need it

    config = load(about.file)
    if config.mailbox.use != "sqlite":
        raise ConfigError(
            f"{about.file}: mailbox.use: commands open sqlite mailboxes alone, not {config.mailbox.use!r}"
        )
    return config.limits
