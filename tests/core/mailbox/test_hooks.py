from __future__ import annotations

import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import anyio
import pytest
from jsonschema import Draft202012Validator

from relaykit.builtin.routing import AddressRouter
from relaykit.errors import RefusedError
from relaykit.mailbox.hooks import relaykit_mailboxes
from relaykit.model import USER, Draft, Limits
from relaykit.plugin import Context
from relaykit.testing.clock import VirtualClock

pytestmark = pytest.mark.anyio


def context(home: Path) -> Context:
    unused: Any = None
    return Context(
        name="mailbox",
        home=home,
        clock=VirtualClock(),
        processes=unused,
        intake=unused,
        credentials=unused,
        routers=[AddressRouter()],
        limits=Limits(message_bytes=10),
    )


def databases(home: Path) -> list[str]:
    return [file.name for file in home.rglob("*.db")]


@pytest.mark.parametrize("options", [{}, {"synced": True}, {"path": "{home}/elsewhere/other.db"}])
async def test_the_component_opens_the_mailbox_that_its_options_name(
    tmp_path: Path, options: Mapping[str, Any]
) -> None:
    (component,) = relaykit_mailboxes()
    given = {key: value.format(home=tmp_path) if isinstance(value, str) else value for key, value in options.items()}
    Draft202012Validator(component.options_schema).validate(given)
    with anyio.fail_after(10):
        async with component.open(given, context(tmp_path)) as mailbox:
            message = (await mailbox.put(Draft(sender="maria", to=USER, body="hello"))).message
            assert message.created_at == VirtualClock().now()
            with pytest.raises(RefusedError):
                await mailbox.put(Draft(sender="maria", to=USER, body="hello" * 10))
    assert databases(tmp_path) == ["other.db" if "path" in options else "mailbox.db"]


def test_registering_it_imports_nothing_heavy() -> None:
    script = (
        "import sys, relaykit.mailbox.hooks; print({'sqlite3', 'asyncio', 'anyio', 'jsonschema'} & set(sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=30, check=True)
    assert done.stdout == "set()\n"
