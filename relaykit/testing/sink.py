"""What every status sink promises, as tests."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Mapping
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any, ClassVar, cast

import anyio
import anyio.lowlevel
import jsonschema
import pytest

from relaykit.model import BlockEnded, ErrorRaised, Event, Fault, Gap, Occurrence, ProviderNote, Whose
from relaykit.plugin import Component, Context, StatusSink
from relaykit.registry import STATUS_SINK, Registry
from relaykit.testing.clock import VirtualClock
from relaykit.testing.occurrences import EVERY, NASTY_TEXT, numbered, text_block

SECONDS = 10.0
"""Within which each test is over."""
_HEAVY = ("asyncio", "httpx", "jsonschema", "sqlite3", "starlette", "trio", "typer", "websockets")
GAP = Gap(agent="a", after=3, before=9, missed=5)


@dataclass(frozen=True, slots=True)
class _NotLent:
    """Stands for what a sink of the suite is not lent; a sink that needs it overrides ``StatusSinkSuite.context``."""

    name: str

    def __getattr__(self, attribute: str) -> object:
        raise AssertionError(f"the suite's context has no {self.name}: override `context` and lend one")


class _Suite:
    """What the parts of the suite have in common."""

    plugin: str = ""
    """The module that the entry point names."""
    component: str | Component[StatusSink]
    """Its name; or the component itself, which no plugin needs to offer."""
    module: str = ""
    """The module that makes the component, where it is given itself."""
    bad_options: ClassVar[Mapping[str, Any]] = {"no such option": True}
    """Options that the schema refuses."""

    def options(self, directory: Path) -> Mapping[str, Any]:  # noqa: ARG002 - for those who override it
        """Return options with which it works; a directory is there for its files. A mapping in its place is them."""
        return {}

    @property
    def offered(self) -> Component[StatusSink]:
        """The component, as the plugin offers it where it is named."""
        if isinstance(self.component, Component):
            return self.component
        registry = Registry()
        registry.register(import_module(self.plugin), self.plugin)
        return registry.component(STATUS_SINK, self.component)

    def opening_options(self, directory: Path) -> Mapping[str, Any]:
        """Return what ``options`` says, whichever way it does."""
        said: Any = self.options
        options: Mapping[str, Any] = said if isinstance(said, Mapping) else said(directory)
        return options

    def context(self, directory: Path) -> Context:
        """Return what the sink is lent."""
        absent: Any = cast("Any", _NotLent)
        return Context(
            name="sinks.test",
            home=directory,
            clock=VirtualClock(),
            processes=absent("processes"),
            intake=absent("intake"),
            credentials=absent("credentials"),
        )

    def open(self, directory: Path) -> AbstractAsyncContextManager[StatusSink]:
        """Open the sink as a relay does."""
        return self.offered.open(self.opening_options(directory), self.context(directory))


class _Registering(_Suite):
    def test_importing_it_loads_nothing_heavy(self) -> None:
        code = f"import sys, {self.module or self.plugin}; print(*sys.modules)"
        run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=SECONDS)
        assert set(_HEAVY).isdisjoint(run.stdout.split())

    def test_its_options_are_a_schema_that_describes_each(self) -> None:
        schema = self.offered.options_schema
        jsonschema.Draft202012Validator.check_schema(schema)
        assert all(option.get("description") for option in schema.get("properties", {}).values())

    def test_good_options_fit_and_bad_ones_do_not(self, tmp_path: Path) -> None:
        validator = jsonschema.Draft202012Validator(self.offered.options_schema)
        validator.validate(self.opening_options(tmp_path))
        assert not validator.is_valid(self.bad_options)


class _Telling(_Suite):
    async def test_it_takes_every_kind_of_event_and_gaps(self, tmp_path: Path) -> None:
        with anyio.fail_after(SECONDS):
            async with self.open(tmp_path) as sink:
                for number, what in enumerate(EVERY, 1):
                    await sink.tell(numbered(what, number))
                await sink.tell(GAP)

    async def test_it_takes_text_that_no_encoding_takes(self, tmp_path: Path) -> None:
        fault = Fault(whose=Whose.TURN, code=NASTY_TEXT, message=NASTY_TEXT)
        occurrences: list[Occurrence] = [
            ErrorRaised(fault=fault),
            BlockEnded(block=text_block("b", NASTY_TEXT)),
            ProviderNote(name=NASTY_TEXT, data={NASTY_TEXT: NASTY_TEXT}),
        ]
        with anyio.fail_after(SECONDS):
            async with self.open(tmp_path) as sink:
                for number, what in enumerate(occurrences, 1):
                    await sink.tell(numbered(what, number))

    async def test_it_takes_an_event_that_is_not_stored(self, tmp_path: Path) -> None:
        with anyio.fail_after(SECONDS):
            async with self.open(tmp_path) as sink:
                await sink.tell(Event(agent="a", session="", number=0, at=0.0, what=EVERY[0]))

    async def test_it_can_be_opened_again(self, tmp_path: Path) -> None:
        with anyio.fail_after(SECONDS):
            for number in (1, 2):
                async with self.open(tmp_path) as sink:
                    await sink.tell(numbered(EVERY[0], number))

    async def test_it_closes_when_it_is_cancelled(self, tmp_path: Path) -> None:
        async def tell_for_ever() -> None:
            async with self.open(tmp_path) as sink:
                while True:
                    await sink.tell(numbered(EVERY[0], 1))
                    told.set()
                    await anyio.lowlevel.checkpoint()

        told = anyio.Event()
        with anyio.fail_after(SECONDS):
            async with anyio.create_task_group() as tasks:
                tasks.start_soon(tell_for_ever, name="teller")
                await told.wait()
                tasks.cancel_scope.cancel()


@pytest.mark.anyio
class StatusSinkSuite(_Registering, _Telling):
    """Subclass it as ``TestYourSink``, set ``plugin`` and ``component``, and ``options`` where it needs some."""
