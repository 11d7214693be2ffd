"""Options that several commands have."""

from __future__ import annotations

from typing import Annotated

from relaykit.cli.parameters import Option

Json = Annotated[bool, Option("--json", help="Print one JSON document.")]
Recipient = Annotated[
    str | None,
    Option("--to", metavar="NAME", help="The one recipient that is meant, where a message has several."),
]
