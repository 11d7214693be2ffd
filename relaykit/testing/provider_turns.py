"""What holds for the turns of every provider."""

from __future__ import annotations

from typing import ClassVar

import anyio
import pytest

from relaykit.errors import ProviderError
from relaykit.model import BlockDelta, BlockEnded, BlockKind, Outcome
from relaykit.testing.provider_bench import ProviderBench, Trial, until_buffered


@pytest.mark.anyio
class TurnChecks:
    """Checks of submissions and their turns."""

    text: ClassVar[str]
    unread_turns: ClassVar[int]

    async def test_a_submission_is_named_by_exactly_one_ended_turn(self, bench: ProviderBench) -> None:
        """No end is missing, and none comes twice."""
        async with bench.session() as trial:
            for name in ("s1", "s2"):
                await trial.submit(self.text, name)
                end = await trial.until_ended(name)
                assert (end.outcome, end.submissions) == (Outcome.COMPLETED, (name,))
        trial.check_turns()

    async def test_several_submissions_are_all_named(self, bench: ProviderBench) -> None:
        """Whatever is taken while a turn runs gets its turn."""
        async with bench.session() as trial:
            for name in ("s1", "s2", "s3"):
                await trial.submit(self.text, name)
            await trial.until_ended("s1", "s2", "s3")
        trial.check_turns()

    async def test_the_text_of_a_turn_is_its_last_text_block(self, bench: ProviderBench) -> None:
        """What is answered is what was shown."""
        async with bench.session() as trial:
            await trial.submit(self.text, "s1")
            end = await trial.until_ended("s1")
        texts = [event.block.text for event in trial.events if isinstance(event, BlockEnded) and _is_answer(event)]
        assert texts[-1:] == [end.text]

    async def test_deltas_add_up_to_their_block(self, bench: ProviderBench) -> None:
        """A provider that announces streaming says its text in pieces, and then whole."""
        await bench.needs("streaming")
        async with bench.session() as trial:
            await trial.submit(self.text, "s1")
            await trial.until_ended("s1")
        [*_, block] = [event.block for event in trial.events if isinstance(event, BlockEnded) and _is_answer(event)]
        pieces = [event.text for event in trial.events if isinstance(event, BlockDelta) and event.block == block.id]
        assert pieces
        assert "".join(pieces) == block.text

    async def test_two_sessions_do_not_mix_events(self, bench: ProviderBench) -> None:
        """Each session tells of its own submissions alone."""
        async with bench.session(agent="one") as one, bench.session(agent="two") as two:
            assert one.session.id != two.session.id
            async with anyio.create_task_group() as tasks:
                for trial in (one, two):
                    tasks.start_soon(trial.submit, self.text, f"of {trial.session.id}")
            for trial in (one, two):
                await trial.until_ended(f"of {trial.session.id}")
        for trial in (one, two):
            assert trial.seen() == {f"of {trial.session.id}"}

    async def test_a_session_knows_nothing_of_the_one_before_it(self, bench: ProviderBench) -> None:
        """A provider may be asked for one session after the other."""
        async with bench.open() as provider:
            ids = []
            for name in ("first", "second"):
                async with provider.session(bench.request) as session:
                    trial = Trial(provider, session)
                    await trial.submit(self.text, name)
                    await trial.until_ended(name)
                    ids.append(session.id)
                assert trial.seen() == {name}
        assert len(set(ids)) == len(ids)

    async def test_a_session_that_nobody_reads_goes_on(self, bench: ProviderBench) -> None:
        """A provider's task never waits for its reader; what nobody has read yet is all there later."""
        names = [f"s{place}" for place in range(self.unread_turns)]
        async with bench.session() as trial:
            for name in names:
                await trial.submit(self.text, name)
            await until_buffered(trial.session.events, 2 * len(names))
            await trial.until_ended(*names)
        trial.check_turns()

    async def test_a_submission_after_closing_raises(self, bench: ProviderBench) -> None:
        """What is not taken is said to be not taken."""
        async with bench.session() as trial:
            pass
        with anyio.fail_after(bench.patience), pytest.raises((ProviderError, anyio.ClosedResourceError)):
            await trial.submit(self.text, "s1")


def _is_answer(event: BlockEnded) -> bool:
    return event.block.kind is BlockKind.ASSISTANT_TEXT and event.block.conversation == "main"
