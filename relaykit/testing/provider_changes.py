"""Whether a session answers what it asks, takes back and changes what its capabilities announce."""

from __future__ import annotations

from typing import ClassVar

import pytest

from relaykit.model import Decision, Mode, Outcome, PermissionAsked, PermissionClosed, Question, Reply
from relaykit.plugin import AnswersPermissions, ChangesModel, TakesReplies, Withdraws
from relaykit.testing.provider_bench import ProviderBench, Trial


@pytest.mark.anyio
class ChangeChecks:
    """Checks of questions, of submissions that are taken back, and of other models."""

    text: ClassVar[str]
    long_text: ClassVar[str | None]
    asking_text: ClassVar[str | None]
    other_model: ClassVar[str]

    async def test_a_denial_closes_the_question_and_the_turn_ends(self, bench: ProviderBench) -> None:
        """Announced by ``permissions``: who denies is heard, and the agent goes on or stops."""
        await bench.needs("permissions")
        async with bench.session() as trial:
            assert isinstance(trial.session, AnswersPermissions)
            question = await self._asked(trial)
            if question is None:
                return
            await trial.session.decide(question.key, Decision.DENY, "not today")
            await trial.until_ended("s1")
        assert _closed(trial) == [question.key]

    async def test_a_reply_closes_the_question_and_the_turn_goes_on(self, bench: ProviderBench) -> None:
        """Announced by ``replies``: an approval with answers, or with the input as it was."""
        await bench.needs("replies")
        async with bench.session() as trial:
            assert isinstance(trial.session, TakesReplies)
            question = await self._asked(trial)
            if question is None:
                return
            answers = tuple(choice.options[0] for choice in question.choices)
            await trial.session.reply(question.key, Reply(answers=answers, input=question.input))
            assert (await trial.until_ended("s1")).outcome is Outcome.COMPLETED
        assert _closed(trial) == [question.key]

    async def test_a_reply_that_nobody_waits_for_is_passed_over(self, bench: ProviderBench) -> None:
        """Announced by ``replies``: the question may have been withdrawn on the way."""
        await bench.needs("replies")
        async with bench.session() as trial:
            assert isinstance(trial.session, TakesReplies)
            await trial.session.reply("no such question", Reply(answers=("yes",)))
            await trial.submit(self.text, "s1")
            assert (await trial.until_ended("s1")).outcome is Outcome.COMPLETED

    async def test_what_was_taken_back_is_in_no_turn_and_all_else_is(self, long_bench: ProviderBench) -> None:
        """Announced by ``withdraw``: the core settles by the answer, so it has to be true either way."""
        await long_bench.needs("withdraw")
        async with long_bench.session() as trial:
            assert isinstance(trial.session, Withdraws)
            joins = trial.provider.capabilities.join
            await trial.submit(self.long_text or self.text, "s1")
            await trial.until_seen("s1")
            await trial.submit(self.long_text or self.text, "s2", Mode.JOIN if joins else Mode.OWN)
            gone = await trial.session.withdraw("s2")
            await trial.session.interrupt()
            await trial.until_ended("s1")
            for name in ["s3"] if gone else ["s2", "s3"]:
                if name == "s3":
                    await trial.submit(self.long_text or self.text, name)
                if name not in trial.named():
                    await trial.until_seen(name)
                    await trial.session.interrupt()
                    await trial.until_ended(name)
        assert ("s2" in trial.seen()) is not gone

    async def test_what_was_begun_with_is_not_taken_back(self, long_bench: ProviderBench) -> None:
        """Announced by ``withdraw``: it has had its effect, or may have."""
        await long_bench.needs("withdraw")
        async with long_bench.session() as trial:
            assert isinstance(trial.session, Withdraws)
            await trial.submit(self.long_text or self.text, "s1")
            await trial.until_seen("s1")
            assert await trial.session.withdraw("s1") is False
            await trial.session.interrupt()
            await trial.until_ended("s1")

    async def test_another_model_is_told_and_leaves_the_session_usable(self, bench: ProviderBench) -> None:
        """Announced by ``set_model``."""
        await bench.needs("set_model")
        async with bench.session() as trial:
            assert isinstance(trial.session, ChangesModel)
            await trial.session.set_model(self.other_model)
            await trial.submit(self.text, "s1")
            assert (await trial.until_ended("s1")).outcome is Outcome.COMPLETED
            assert trial.provider.capabilities.model == self.other_model

    async def _asked(self, trial: Trial) -> Question | None:
        """Return what a turn asks that was told to ask; None where nothing is known that makes it ask."""
        if self.asking_text is None:
            return None
        await trial.submit(self.asking_text, "s1")
        await trial.until(lambda: any(isinstance(event, PermissionAsked) for event in trial.events))
        return next(event.question for event in trial.events if isinstance(event, PermissionAsked))


def _closed(trial: Trial) -> list[str]:
    return [event.key for event in trial.events if isinstance(event, PermissionClosed) and not event.withdrawn]
