"""An agent as the directory knows it, and the relay that runs it."""

from __future__ import annotations

from msgspec import field

from relaykit.model.capabilities import Capabilities
from relaykit.model.message import Priority
from relaykit.model.record import Record
from relaykit.model.status import Status


class Agent(Record, frozen=True, kw_only=True):
    """An addressable worker."""

    id: str
    provider: str
    cwd: str
    label: str | None = None
    tags: tuple[str, ...] = ()
    capabilities: tuple[str, ...] = ()
    priority: Priority | None = None
    """For messages that say none; ``later`` where this says none either."""
    reachable_by: tuple[str, ...] | None = None
    """Addresses that may send to it; None is everyone."""
    in_groups: bool = True
    """Whether ``broadcast``, ``tag:`` and ``cap:`` mean it, too; its id and its label always do."""
    may_send_now: bool = False
    """Whether it may send ``now`` to others; agents send at most ``next`` unless their profile allows more."""
    reads_inbox: bool = False
    """No relay runs it: it reads its inbox itself, and what it has taken from there is done with."""
    max_text: int | None = None
    """Characters that its provider takes at once, as far as is known: a longer message is refused at the put."""
    able: Capabilities | None = None
    """What its provider said of its sessions last; None where none has been open."""


class Report(Record, frozen=True, kw_only=True):
    """How an agent is, by whoever runs it."""

    agent: str
    epoch: int
    """Of the claim; the report of an older one is void."""
    status: Status
    pid: int | None
    session: str | None


class DirectoryEntry(Record, frozen=True, kw_only=True):
    """An agent with what is known of it at this moment."""

    agent: Agent
    epoch: int
    """Raised by every claim; what an older epoch wrote is void."""
    owner: str | None
    """The incarnation of the relay that claimed it last."""
    pid: int | None
    session: str | None
    status: Status
    queued: int
    queued_bytes: int


class RelayRecord(Record, frozen=True, kw_only=True):
    """One running relay: one row, one heartbeat, however many agents it runs."""

    incarnation: str
    pid: int
    boot: str
    """The machine's boot id: beats of another boot are dead, whatever their number."""
    beat: float
    """Boot-clock seconds of the last heartbeat."""


class Claim(Record, frozen=True, kw_only=True):
    """The right to run an agent, and what its last holder left behind."""

    agent: str
    epoch: int
    abandoned: tuple[int, ...] = field(default=())
    """Deliveries that may be handed over and have no end; they are now leased by this claim."""
    counted: tuple[int, ...] = field(default=())
    """Those of them for which one more death was counted."""
