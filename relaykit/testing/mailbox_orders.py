"""What every mailbox promises of commands, permission requests and watching."""

from __future__ import annotations

import anyio
import pytest
from msgspec.structs import replace

from relaykit.errors import ClosedRequestError, ConflictError, NotFoundError, RefusedError
from relaykit.model import (
    USER,
    Choice,
    Command,
    CommandKind,
    CommandState,
    Decision,
    PermissionRequest,
    Question,
    Reply,
    RequestState,
    State,
    Status,
    StatusKind,
    new_id,
)
from relaykit.testing.mailbox_bench import SECONDS, Bench, MailboxPart

_GOOD = (State.ANSWERED, "completed")
QUESTION = Question(key="1", action="command", title="rm -r build", turn="turn-1", item="item-1")


class Orders(MailboxPart):
    """Commands to agents' lives."""

    async def _order(self, bench: Bench, kind: CommandKind = CommandKind.COMPACT, **rest: str) -> Command:
        return await bench.mailbox.order("a", kind, sender=USER, **rest)

    async def test_an_order_waits_until_it_is_taken_and_moves_on(self, bench: Bench) -> None:
        order = await self._order(bench, CommandKind.STEER, text="left")
        assert (await bench.mailbox.waiting(["a"]))["a"].commands
        assert await bench.mailbox.orders("a", bench.claims["a"].epoch) == [order]
        await bench.mailbox.advance(order.id, CommandState.RUNNING)
        assert await bench.mailbox.orders("a", bench.claims["a"].epoch) == []
        assert await bench.mailbox.waiting(["a"]) == {}
        await bench.mailbox.advance(order.id, CommandState.SUCCEEDED, "done")
        await bench.mailbox.advance(order.id, CommandState.FAILED, "too late")
        ended = await bench.mailbox.command(order.id)
        assert (ended.state, ended.result, ended.text) == (CommandState.SUCCEEDED, "done", "left")

    async def test_the_same_order_again_is_the_first(self, bench: Bench) -> None:
        first = await self._order(bench, id="order-1")
        assert await self._order(bench, id="order-1") == first
        with pytest.raises(ConflictError):
            await self._order(bench, CommandKind.CLEAR, id="order-1")

    async def test_an_order_that_nobody_took_in_time_has_failed(self, bench: Bench) -> None:
        order = await self._order(bench)
        assert await bench.mailbox.tick() == order.take_by
        await bench.clock.advance(60)
        assert await bench.mailbox.orders("a", bench.claims["a"].epoch) == []
        assert (await bench.mailbox.command(order.id)).state is CommandState.FAILED

    async def test_an_order_that_runs_has_no_time_limit_here(self, bench: Bench) -> None:
        order = await self._order(bench)
        await bench.mailbox.advance(order.id, CommandState.RUNNING)
        await bench.clock.advance(600)
        await bench.mailbox.tick()
        assert (await bench.mailbox.command(order.id)).state is CommandState.RUNNING

    async def test_an_order_to_nobody_is_not_found(self, bench: Bench) -> None:
        with pytest.raises(NotFoundError):
            await bench.mailbox.order("nobody", CommandKind.STOP, sender=USER)
        with pytest.raises(NotFoundError):
            await bench.mailbox.command("nothing")

    async def test_for_an_agent_that_nobody_runs_an_order_ends_at_once(self, bench: Bench) -> None:
        running = [await self._order(bench, kind) for kind in (CommandKind.STOP, CommandKind.CLEAR)]
        await bench.mailbox.retire("a", bench.claims["a"].epoch, Status(kind=StatusKind.OFFLINE))
        later = [await self._order(bench, kind) for kind in (CommandKind.STOP, CommandKind.CLEAR)]
        for order in (*running, *later):
            ended = (await bench.mailbox.command(order.id)).state
            assert ended is (CommandState.SUCCEEDED if order.kind is CommandKind.STOP else CommandState.FAILED)


class Permissions(MailboxPart):
    """Permission requests."""

    async def _asked(self, bench: Bench, question: Question = QUESTION, session: str = "s") -> PermissionRequest:
        epoch = bench.claims["a"].epoch
        return await bench.mailbox.ask("a", epoch, session, question, expires_in=3600)

    async def test_a_request_is_open_until_it_is_decided_and_told(self, bench: Bench) -> None:
        request = await self._asked(bench)
        assert (request.question, request.state) == (QUESTION, RequestState.OPEN)
        assert await bench.mailbox.permissions() == [request]
        decided = await bench.mailbox.decide(request.id, Decision.DENY, by="maria", reason="no")
        assert (decided.state, decided.decision, decided.decided_by, decided.reason) == (
            RequestState.DECIDED,
            Decision.DENY,
            "maria",
            "no",
        )
        assert (await bench.mailbox.waiting(["a"]))["a"].decisions
        assert await bench.mailbox.decided("a", bench.claims["a"].epoch) == [decided]
        await bench.mailbox.applied(request.id)
        assert await bench.mailbox.waiting(["a"]) == {}
        assert await bench.mailbox.permissions() == []
        assert await bench.mailbox.permissions(all=True) == [replace(decided, applied=True)]

    async def test_the_first_decision_wins(self, bench: Bench) -> None:
        request = await self._asked(bench)
        await bench.mailbox.decide(request.id, Decision.APPROVE, by="maria")
        with pytest.raises(ClosedRequestError, match="approve by maria"):
            await bench.mailbox.decide(request.id, Decision.DENY, by=USER)
        with pytest.raises(NotFoundError):
            await bench.mailbox.decide(new_id(), Decision.DENY, by=USER)

    async def test_an_approval_keeps_the_answers_that_a_question_needs(self, bench: Bench) -> None:
        choice = Choice(question="Which colour?", options=("Red", "Blue"))
        request = await self._asked(bench, replace(QUESTION, choices=(choice,)))
        for reply in (None, Reply(), Reply(answers=("Red", "Blue"))):
            with pytest.raises(RefusedError, match="Which colour"):
                await bench.mailbox.decide(request.id, Decision.APPROVE, by=USER, reply=reply)
        answered = Reply(answers=("Green",))
        decided = await bench.mailbox.decide(request.id, Decision.APPROVE, by=USER, reply=answered)
        assert decided.reply == answered
        assert await bench.mailbox.decided("a", bench.claims["a"].epoch) == [decided]

    async def test_another_input_is_taken_only_where_it_may_be_changed(self, bench: Bench) -> None:
        request = await self._asked(bench)
        changed = Reply(input={"command": "ls"})
        with pytest.raises(RefusedError, match="no other input"):
            await bench.mailbox.decide(request.id, Decision.APPROVE, by=USER, reply=changed)
        with pytest.raises(RefusedError, match="no answer"):
            await bench.mailbox.decide(request.id, Decision.APPROVE, by=USER, reply=Reply(answers=("yes",)))
        other = await self._asked(bench, replace(QUESTION, key="2", item="other", input={"command": "rm"}))
        assert (await bench.mailbox.decide(other.id, Decision.APPROVE, by=USER, reply=changed)).reply == changed

    async def test_a_replay_finds_the_open_request_under_its_new_key(self, bench: Bench) -> None:
        request = await self._asked(bench)
        await bench.claim("a", relay="relay-2")
        again = await self._asked(bench, replace(QUESTION, key="2"))
        assert (again.id, again.question.key, again.epoch) == (request.id, "2", bench.claims["a"].epoch)
        for other in (
            replace(QUESTION, title="rm -r src"),
            replace(QUESTION, item="item-2"),
            replace(QUESTION, turn=None),
        ):
            assert (await self._asked(bench, other)).id != request.id
        assert (await self._asked(bench, session="other")).id != request.id

    async def test_a_replay_finds_what_was_decided_before_the_session_could_be_told(self, bench: Bench) -> None:
        request = await self._asked(bench)
        await bench.claim("a", relay="relay-2")
        await bench.mailbox.decide(request.id, Decision.APPROVE, by=USER)
        again = await self._asked(bench, replace(QUESTION, key="2"))
        assert (again.id, again.state, again.decision) == (request.id, RequestState.DECIDED, Decision.APPROVE)
        assert [one.id for one in await bench.mailbox.decided("a", bench.claims["a"].epoch)] == [request.id]
        await bench.mailbox.applied(request.id)
        assert (await self._asked(bench, replace(QUESTION, key="2"))).id != request.id

    async def test_no_answer_in_time_is_a_denial_of_which_the_session_is_told(self, bench: Bench) -> None:
        request = await self._asked(bench)
        assert await bench.mailbox.tick() == request.expires_at
        await bench.clock.advance(3600)
        with pytest.raises(ClosedRequestError):
            await bench.mailbox.decide(request.id, Decision.APPROVE, by=USER)
        await bench.mailbox.tick()
        (expired,) = await bench.mailbox.decided("a", bench.claims["a"].epoch)
        assert expired.state is RequestState.EXPIRED

    async def test_what_the_provider_no_longer_asks_is_withdrawn(self, bench: Bench) -> None:
        one = await self._asked(bench)
        two = await self._asked(bench, replace(QUESTION, key="2", item="item-2"))
        other = await self._asked(bench, session="other")
        await bench.mailbox.withdraw("s", ["1"], "answered there")
        assert [request.id for request in await bench.mailbox.permissions()] == [two.id, other.id]
        await bench.mailbox.withdraw("s", None, "the session is gone")
        assert [request.id for request in await bench.mailbox.permissions()] == [other.id]
        with pytest.raises(ClosedRequestError, match="withdrawn"):
            await bench.mailbox.decide(one.id, Decision.APPROVE, by=USER)

    async def test_a_decision_for_an_earlier_epoch_is_told_to_nobody(self, bench: Bench) -> None:
        request = await self._asked(bench)
        await bench.claim("a", relay="relay-2")
        await bench.mailbox.decide(request.id, Decision.APPROVE, by=USER)
        assert await bench.mailbox.waiting(["a"]) == {}
        assert await bench.mailbox.decided("a", bench.claims["a"].epoch) == []


class Watching(MailboxPart):
    """Learning that something changed."""

    async def test_a_watch_hears_what_happened_since_it_was_opened(self, bench: Bench) -> None:
        with anyio.fail_after(SECONDS):
            async with bench.mailbox.watch() as watch:
                await bench.put()
                await watch.wait()

    async def test_a_watch_that_says_whom_it_concerns_leaves_nobody_out(self, bench: Bench) -> None:
        await bench.claim("c", "d", tags=("t",))
        with anyio.fail_after(SECONDS):
            async with bench.mailbox.watch() as watch:
                for to, concerned in [("a", {"a"}), ("any:tag:t", {"c", "d"}), ("tag:t", {"c", "d"})]:
                    await bench.put(to=to)
                    named = await watch.wait()
                    assert named is None or concerned <= set(named), to
                leased = await bench.lease("c")
                await bench.mailbox.settle([leased.lease], *_GOOD)
                named = await watch.wait()
                assert named is None or USER in named, "a sender is not told that its message ended"
                await bench.mailbox.order("a", CommandKind.COMPACT, sender=USER)
                assert await watch.wait() is None, "an agent that is not named does not see its order"

    async def test_a_watch_wakes_whoever_waits_and_then_is_quiet(self, bench: Bench) -> None:
        heard = anyio.Event()

        async def wait() -> None:
            async with bench.mailbox.watch() as watch:
                ready.set()
                await watch.wait()
                heard.set()

        ready = anyio.Event()
        with anyio.fail_after(SECONDS):
            async with anyio.create_task_group() as tasks:
                tasks.start_soon(wait, name="watcher")
                await ready.wait()
                await bench.mailbox.agents()
                await bench.mailbox.waiting(["a"])
                await anyio.wait_all_tasks_blocked()
                assert not heard.is_set(), "it rang although nothing was written"
                await bench.put()
                await heard.wait()
