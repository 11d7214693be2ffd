"""The records: frozen, typed, without behaviour beyond their own meaning. Everything else imports these."""

from __future__ import annotations

from typing import TYPE_CHECKING

from relaykit.lazily import lazily

if TYPE_CHECKING:
    from relaykit.model.address import NAME, Address, AddressKind, parse_address
    from relaykit.model.agent import Agent, Claim, DirectoryEntry, RelayRecord, Report
    from relaykit.model.block import Block, BlockKind
    from relaykit.model.capabilities import Capabilities
    from relaykit.model.codec import from_json, to_json
    from relaykit.model.command import DRAIN, Command, CommandKind, CommandState
    from relaykit.model.delivery import (
        UNDER_WAY,
        Accepted,
        Delivery,
        InboxItem,
        Lease,
        LeasedDelivery,
        Noted,
        ReplyTo,
        State,
        Step,
        Trace,
        Wish,
    )
    from relaykit.model.event import (
        OCCURRENCES,
        BlockDelta,
        BlockEnded,
        BlockStarted,
        ErrorRaised,
        Event,
        Gap,
        Occurrence,
        PermissionAsked,
        PermissionClosed,
        ProviderNote,
        StatusChanged,
        TurnEnded,
        TurnJoined,
        TurnStarted,
        UsageReported,
    )
    from relaykit.model.fault import Fault, Whose
    from relaykit.model.limits import Limits
    from relaykit.model.message import USER, Draft, Message, MessageKind, Priority, new_id
    from relaykit.model.permission import Approval, Decision, PermissionRequest, Question, RequestState
    from relaykit.model.secret import Secret
    from relaykit.model.session import PastSession, SessionRecord
    from relaykit.model.status import OFFLINE, Status, StatusKind, WorkItem
    from relaykit.model.task import Reaction, Task, TaskState
    from relaykit.model.turn import Mode, Origin, Outcome, PastTurn

_HOMES = {
    "address": ("NAME", "Address", "AddressKind", "parse_address"),
    "agent": ("Agent", "Claim", "DirectoryEntry", "RelayRecord", "Report"),
    "block": ("Block", "BlockKind"),
    "capabilities": ("Capabilities",),
    "codec": ("from_json", "to_json"),
    "command": ("DRAIN", "Command", "CommandKind", "CommandState"),
    "delivery": (
        "UNDER_WAY",
        "Accepted",
        "Delivery",
        "InboxItem",
        "Lease",
        "LeasedDelivery",
        "Noted",
        "ReplyTo",
        "State",
        "Step",
        "Trace",
        "Wish",
    ),
    "event": (
        "OCCURRENCES",
        "BlockDelta",
        "BlockEnded",
        "BlockStarted",
        "ErrorRaised",
        "Event",
        "Gap",
        "Occurrence",
        "PermissionAsked",
        "PermissionClosed",
        "ProviderNote",
        "StatusChanged",
        "TurnEnded",
        "TurnJoined",
        "TurnStarted",
        "UsageReported",
    ),
    "fault": ("Fault", "Whose"),
    "limits": ("Limits",),
    "message": ("USER", "Draft", "Message", "MessageKind", "Priority", "new_id"),
    "permission": ("Approval", "Decision", "PermissionRequest", "Question", "RequestState"),
    "secret": ("Secret",),
    "session": ("PastSession", "SessionRecord"),
    "status": ("OFFLINE", "Status", "StatusKind", "WorkItem"),
    "task": ("Reaction", "Task", "TaskState"),
    "turn": ("Mode", "Origin", "Outcome", "PastTurn"),
}

__all__ = [
    "DRAIN",
    "NAME",
    "OCCURRENCES",
    "OFFLINE",
    "UNDER_WAY",
    "USER",
    "Accepted",
    "Address",
    "AddressKind",
    "Agent",
    "Approval",
    "Block",
    "BlockDelta",
    "BlockEnded",
    "BlockKind",
    "BlockStarted",
    "Capabilities",
    "Claim",
    "Command",
    "CommandKind",
    "CommandState",
    "Decision",
    "Delivery",
    "DirectoryEntry",
    "Draft",
    "ErrorRaised",
    "Event",
    "Fault",
    "Gap",
    "InboxItem",
    "Lease",
    "LeasedDelivery",
    "Limits",
    "Message",
    "MessageKind",
    "Mode",
    "Noted",
    "Occurrence",
    "Origin",
    "Outcome",
    "PastSession",
    "PastTurn",
    "PermissionAsked",
    "PermissionClosed",
    "PermissionRequest",
    "Priority",
    "ProviderNote",
    "Question",
    "Reaction",
    "RelayRecord",
    "ReplyTo",
    "Report",
    "RequestState",
    "Secret",
    "SessionRecord",
    "State",
    "Status",
    "StatusChanged",
    "StatusKind",
    "Step",
    "Task",
    "TaskState",
    "Trace",
    "TurnEnded",
    "TurnJoined",
    "TurnStarted",
    "UsageReported",
    "Whose",
    "Wish",
    "WorkItem",
    "from_json",
    "new_id",
    "parse_address",
    "to_json",
]

# Making all records takes longer than all the rest of ``relaykit send``.
__getattr__ = lazily(__name__, _HOMES)
