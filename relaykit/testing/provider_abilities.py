"""Whether a provider can do what its capabilities announce, and keeps secrets."""

from __future__ import annotations

import os
from pathlib import Path
from typing import ClassVar

import pytest

from relaykit.errors import ProviderError
from relaykit.model import Decision, Mode, Outcome, PastTurn
from relaykit.plugin import AnswersPermissions, Attaches, Compacts, ListsSessions, ReadsHistory
from relaykit.plugin.provider import Session
from relaykit.testing.provider_bench import ProviderBench, Trial


@pytest.mark.anyio
class AbilityChecks:
    """Checks of what is announced."""

    text: ClassVar[str]
    long_text: ClassVar[str | None]

    async def test_a_joined_submission_is_named_by_the_running_turn_or_its_own(self, long_bench: ProviderBench) -> None:
        """Announced by ``join``: no text that joins is lost."""
        await long_bench.needs("join")
        async with long_bench.session() as trial:
            await trial.submit(self.long_text or self.text, "s1")
            await trial.until_seen("s1")
            await trial.submit(self.long_text or self.text, "s2", Mode.JOIN)
            for name in ("s1", "s2"):
                if name not in trial.named():
                    await trial.until_seen(name)
                    await trial.session.interrupt()
                    await trial.until_ended(name)
        trial.check_turns()

    async def test_a_joining_submission_without_a_turn_gets_its_own(self, bench: ProviderBench) -> None:
        """The turn that it was to join may have ended on the way."""
        await bench.needs("join")
        async with bench.session() as trial:
            await trial.submit(self.text, "s1", Mode.JOIN)
            assert (await trial.until_ended("s1")).outcome is Outcome.COMPLETED

    async def test_history_tells_of_a_finished_turn(self, bench: ProviderBench) -> None:
        """Announced by ``history``: recovery settles from it, so it has our submission and the answer."""
        await bench.needs("history")
        async with bench.session() as trial:
            await trial.submit(self.text, "s1")
            end = await trial.until_ended("s1")
            past = await _past(trial.session, trial.session.id, "s1")
        assert (past.submissions, past.outcome, past.text) == (("s1",), Outcome.COMPLETED, end.text)

    async def test_history_of_an_unknown_session_is_none(self, bench: ProviderBench) -> None:
        """What cannot be read is no empty history: an empty one says that nothing was taken."""
        await bench.needs("history")
        async with bench.session() as trial:
            assert isinstance(trial.session, ReadsHistory)
            assert await trial.session.history("00000000-0000-4000-8000-000000000000") is None

    async def test_a_session_goes_on_under_its_id(self, bench: ProviderBench) -> None:
        """Announced by ``resume``: the same id, and its history where there is one."""
        await bench.needs("resume")
        async with bench.session() as first:
            await first.submit(self.text, "s1")
            await first.until_ended("s1")
        async with bench.session(resume=first.session.id) as second:
            assert second.session.id == first.session.id
            if second.provider.capabilities.history:
                assert (await _past(second.session, first.session.id, "s1")).outcome is Outcome.COMPLETED
            await second.submit(self.text, "s2")
            assert (await second.until_ended("s2")).outcome is Outcome.COMPLETED

    async def test_an_unknown_session_cannot_go_on(self, bench: ProviderBench) -> None:
        """A new one in its place would hide that the old one is lost."""
        with pytest.raises(ProviderError):
            async with bench.session(resume="00000000-0000-4000-8000-000000000000"):
                pass

    async def test_a_decision_that_nobody_waits_for_is_passed_over(self, bench: ProviderBench) -> None:
        """Announced by ``permissions``: the session answers them."""
        await bench.needs("permissions")
        async with bench.session() as trial:
            assert isinstance(trial.session, AnswersPermissions)
            await trial.session.decide("no such question", Decision.APPROVE)
            await trial.submit(self.text, "s1")
            await trial.until_ended("s1")

    async def test_compacting_leaves_the_session_usable(self, bench: ProviderBench) -> None:
        """Announced by ``compact``."""
        await bench.needs("compact")
        async with bench.session() as trial:
            assert isinstance(trial.session, Compacts)
            await trial.submit(self.text, "s1")
            await trial.until_ended("s1")
            await trial.session.compact()
            await trial.submit(self.text, "s2")
            assert (await trial.until_ended("s2")).outcome is Outcome.COMPLETED

    async def test_a_person_is_told_a_program_that_joins_this_session(self, bench: ProviderBench) -> None:
        """Announced by ``attach``: the relay's command becomes that program, so it has to be one."""
        await bench.needs("attach")
        async with bench.session() as trial:
            assert isinstance(trial.session, Attaches)
            terminal = trial.session.terminal()
            assert Path(terminal.argv[0]).is_absolute()
            assert os.access(terminal.argv[0], os.X_OK)
            assert trial.session.id in " ".join(terminal.argv)
            assert terminal.cwd.is_dir()

    async def test_a_session_that_was_begun_is_listed(self, bench: ProviderBench) -> None:
        """Announced by ``sessions``: a conversation that has something in it can be found again."""
        await bench.needs("sessions")
        async with bench.session() as trial:
            assert isinstance(trial.session, ListsSessions)
            await trial.submit(self.text, "s1")
            await trial.until_ended("s1")
            listed = await trial.session.past_sessions()
            assert trial.session.id in [past.id for past in listed]

    async def test_secrets_are_not_shown(self, bench: ProviderBench) -> None:
        """Not by a repr, an event, or the arguments of the session's process."""
        secrets = self.secrets_to_hide()
        if not secrets:
            pytest.skip("no secrets are given")
        async with bench.session() as trial:
            await trial.submit(self.text, "s1")
            await trial.until_seen("s1")
            shown = _arguments(trial) + repr(trial.provider) + repr(trial.session)
            await trial.until_ended("s1")
        shown += repr(trial.events)
        assert [name for name, value in secrets.items() if value in shown] == []

    def secrets_to_hide(self) -> dict[str, str]:
        """Return what must not be shown, by name."""
        raise NotImplementedError


async def _past(session: Session, asked: str, submission: str) -> PastTurn:
    assert isinstance(session, ReadsHistory)
    turns = await session.history(asked)
    assert turns is not None
    [past] = [turn for turn in turns if submission in turn.submissions]
    return past


def _arguments(trial: Trial) -> str:
    pid = trial.session.pid
    return "" if pid is None else Path(f"/proc/{pid}/cmdline").read_text(encoding="utf-8", errors="replace")
