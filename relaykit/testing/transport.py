"""The conformance suite of transports: subclass it, play the outside, run pytest."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, ClassVar

import anyio
import pytest

from relaykit.errors import RefusedError, TransportError
from relaykit.model import Draft
from relaykit.plugin import Context, Receipt, Transport
from relaykit.registry import TRANSPORT, Registry
from relaykit.testing.component import ComponentSuite
from relaykit.testing.contexts import MemoryIntake, make_context, make_message


@pytest.mark.anyio
class TransportSuite(ComponentSuite[Transport]):
    """Checks that hold for every transport. The methods ``outside_…`` are yours: they are the other side.

    Attributes:
        plugin: The module that the entry point names.
        transport: The transport's name.
        options: Options to open it with.
        bad_options: Options that must be refused.
        recipient: Someone whom the outside can be made to have.
        brings_in: Whether messages come in through it.
        patience: Seconds that one check may take.
    """

    transport: ClassVar[str]
    kind = TRANSPORT
    recipient: ClassVar[str] = "user"
    brings_in: ClassVar[bool] = True
    patience: ClassVar[float] = 20.0

    def __init_subclass__(cls) -> None:
        """Take the component's name from ``transport``."""
        super().__init_subclass__()
        if hasattr(cls, "transport"):
            cls.component = cls.transport

    def outside_listens(self, transport: Transport) -> Any:
        """Return an async context in which ``recipient`` can be reached; it yields what ``outside_received`` takes."""
        raise NotImplementedError

    async def outside_received(self, listener: Any) -> str:
        """Return the body of the next message that the outside got."""
        raise NotImplementedError

    async def outside_sends(self, transport: Transport, id: str, body: str) -> bool:
        """Send a message in under that id; return whether it was acknowledged, within ``patience``."""
        raise NotImplementedError

    @pytest.fixture
    def intake(self) -> MemoryIntake:
        """The way into the mailbox."""
        return MemoryIntake()

    @pytest.fixture
    def context(self, tmp_path: Path, intake: MemoryIntake) -> Context:
        """What the transport is lent."""
        return make_context(tmp_path, name="transports.conformance", intake=intake, secrets=self.secrets)

    @asynccontextmanager
    async def open(self, registry: Registry, options: Mapping[str, Any], context: Context) -> AsyncIterator[Transport]:
        """Open the transport, for no longer than ``patience``."""
        with anyio.fail_after(self.patience):
            async with registry.open(TRANSPORT, self.transport, options, context) as transport:
                yield transport

    async def test_a_message_arrives_and_there_is_a_receipt(
        self, registry: Registry, opening_options: Mapping[str, Any], context: Context
    ) -> None:
        """The receipt stands in the trace, as one line."""
        async with self.open(registry, opening_options, context) as transport, self.outside_listens(transport) as there:
            assert transport.reaches(self.recipient)
            receipt = await transport.send(make_message("hello", to=self.recipient), self.recipient)
            assert await self.outside_received(there) == "hello"
        assert isinstance(receipt, Receipt)
        assert receipt.detail
        assert "\n" not in receipt.detail

    async def test_messages_arrive_in_order(
        self, registry: Registry, opening_options: Mapping[str, Any], context: Context
    ) -> None:
        """Of one sender to one recipient."""
        bodies = [f"number {number}" for number in range(10)]
        async with self.open(registry, opening_options, context) as transport, self.outside_listens(transport) as there:
            for body in bodies:
                await transport.send(make_message(body, to=self.recipient), self.recipient)
            assert [await self.outside_received(there) for _ in bodies] == bodies

    async def test_whom_it_does_not_reach_it_cannot_send_to(
        self, registry: Registry, opening_options: Mapping[str, Any], context: Context
    ) -> None:
        """A receipt for a message that nobody took would lose it."""
        async with self.open(registry, opening_options, context) as transport:
            assert not transport.reaches("nobody-of-that-name")
            with pytest.raises(TransportError):
                await transport.send(make_message("hello"), "nobody-of-that-name")

    async def test_closing_leaves_no_task_behind(
        self, registry: Registry, opening_options: Mapping[str, Any], context: Context
    ) -> None:
        """Leaving the transport ends all that it started."""
        before = {task.id for task in anyio.get_running_tasks()}
        async with self.open(registry, opening_options, context) as transport, self.outside_listens(transport):
            await transport.send(make_message("hello", to=self.recipient), self.recipient)
        assert {task.id for task in anyio.get_running_tasks()} <= before

    async def test_a_message_from_outside_is_put_once_however_often_it_comes(
        self, registry: Registry, opening_options: Mapping[str, Any], context: Context, intake: MemoryIntake
    ) -> None:
        """The outside's own id makes a second copy the first put."""
        self._needs_to_bring_in()
        async with self.open(registry, opening_options, context) as transport:
            for _ in range(2):
                assert await self.outside_sends(transport, "m1", "hello")
        assert [draft.body for draft in intake.drafts] == ["hello"]

    async def test_what_was_not_stored_is_not_acknowledged(
        self, registry: Registry, opening_options: Mapping[str, Any], context: Context, intake: MemoryIntake
    ) -> None:
        """And what was refused once may be sent again."""
        self._needs_to_bring_in()
        intake.refusal = RefusedError("the recipient's queue is full")
        async with self.open(registry, opening_options, context) as transport:
            assert not await self.outside_sends(transport, "m1", "hello")
            intake.refusal = None
            assert await self.outside_sends(transport, "m1", "hello")
        assert [draft.body for draft in intake.drafts] == ["hello"]

    async def test_a_message_from_outside_says_where_it_came_from(
        self, registry: Registry, opening_options: Mapping[str, Any], context: Context, intake: MemoryIntake
    ) -> None:
        """Its id is unique within its account alone, so the account is named."""
        self._needs_to_bring_in()
        async with self.open(registry, opening_options, context) as transport:
            assert await self.outside_sends(transport, "m1", "hello")
        [draft] = intake.drafts
        assert isinstance(draft, Draft)
        assert draft.account

    def _needs_to_bring_in(self) -> None:
        if not self.brings_in:
            pytest.skip("nothing comes in through it")
