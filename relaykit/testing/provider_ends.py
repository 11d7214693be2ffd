"""What holds when a provider's turn or session is ended before its time."""

from __future__ import annotations

import os
import signal
from collections.abc import Mapping
from typing import Any, ClassVar

import anyio
import pytest

from relaykit.errors import ProviderError
from relaykit.model import Outcome
from relaykit.testing.provider_bench import ProviderBench, Trial


@pytest.mark.anyio
class EndChecks:
    """Checks of interrupting, closing and dying."""

    text: ClassVar[str]
    long_text: ClassVar[str | None]

    long_options: ClassVar[Mapping[str, Any] | None]

    def ends_of_an_interrupted_turn(self) -> set[Outcome]:
        """Return the outcomes to accept: a turn that need not last may have been quicker than the interrupt."""
        if self.long_text is None and self.long_options is None:
            return {Outcome.INTERRUPTED, Outcome.COMPLETED}
        return {Outcome.INTERRUPTED}

    async def begin_long(self, trial: Trial, name: str) -> None:
        """Submit the text of a turn that lasts, and wait for its begin."""
        await trial.submit(self.long_text or self.text, name)
        await trial.until_seen(name)

    async def test_an_interrupt_ends_the_turn_and_leaves_the_session_usable(self, long_bench: ProviderBench) -> None:
        """The interrupted turn still ends, with its submission named; then the next one runs."""
        await long_bench.needs("interrupt")
        async with long_bench.session() as trial:
            for name in ("s1", "s2"):
                await self.begin_long(trial, name)
                await trial.session.interrupt()
                end = await trial.until_ended(name)
                assert end.outcome in self.ends_of_an_interrupted_turn()
        trial.check_turns()

    async def test_an_interrupt_without_a_turn_does_nothing(self, bench: ProviderBench) -> None:
        """It does not wait for the next turn."""
        async with bench.session() as trial:
            await trial.session.interrupt()
            await trial.submit(self.text, "s1")
            assert (await trial.until_ended("s1")).outcome is Outcome.COMPLETED

    async def test_closing_leaves_no_task_behind(self, long_bench: ProviderBench) -> None:
        """Leaving the session ends all that it started, a running turn too."""
        before = {task.id for task in anyio.get_running_tasks()}
        async with long_bench.session() as trial:
            await self.begin_long(trial, "s1")
        assert {task.id for task in anyio.get_running_tasks()} <= before

    async def test_closing_leaves_no_process_behind(self, long_bench: ProviderBench) -> None:
        """Leaving the session ends its process."""
        async with long_bench.session() as trial:
            await self.begin_long(trial, "s1")
            pid = trial.session.pid
        _needs_process(pid)
        with pytest.raises(ProcessLookupError):
            os.kill(pid or 0, 0)

    async def test_the_death_of_its_process_ends_the_turn_and_the_session(self, long_bench: ProviderBench) -> None:
        """The turn ends by the process, then the events end, and nothing more is taken."""
        async with long_bench.session() as trial:
            await self.begin_long(trial, "s1")
            pid = trial.session.pid
            if pid is not None:
                os.kill(pid, signal.SIGKILL)
                await self.expect_the_end(trial)
        _needs_process(pid)

    async def expect_the_end(self, trial: Trial) -> None:
        """Expect that the running turn ends by its process's death, and then the session."""
        await trial.until_over()
        end = trial.ends[-1]
        assert (end.by, end.submissions) == ("process", ("s1",))
        assert end.outcome is not Outcome.COMPLETED
        with pytest.raises((ProviderError, anyio.ClosedResourceError, anyio.BrokenResourceError)):
            await trial.submit(self.text, "s2")


def _needs_process(pid: int | None) -> None:
    if pid is None:
        pytest.skip("it has no process")
