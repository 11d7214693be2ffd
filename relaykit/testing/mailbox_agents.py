"""What every mailbox promises of the directory, of claims and of relays that died."""

from __future__ import annotations

from typing import Any

import pytest

from relaykit.errors import LeaseLostError, RefusedError
from relaykit.model import (
    Agent,
    Capabilities,
    CommandKind,
    CommandState,
    RelayRecord,
    State,
    Status,
    StatusKind,
    Wish,
    WorkItem,
)
from relaykit.testing.mailbox_bench import RELAY, Bench, MailboxPart, states

IDLE = Status(kind=StatusKind.IDLE, since=1.0)


class Claims(MailboxPart):
    """Who runs an agent."""

    async def test_a_claim_raises_the_epoch_and_updates_the_agent(self, bench: Bench) -> None:
        first = bench.claims["a"]
        second = await bench.claim("a", relay="relay-2", label="better")
        (entry,) = await bench.mailbox.agents()
        assert second.epoch == first.epoch + 1
        assert (entry.epoch, entry.owner, entry.agent.label) == (second.epoch, "relay-2", "better")

    async def test_what_was_handed_over_is_the_new_claims_and_counts_a_death(self, bench: Bench) -> None:
        asked = [(await bench.put()).message for _ in range(3)]
        for _ in range(2):
            await bench.begin()
        claim = await bench.claim("a", relay="relay-2")
        found = [await bench.delivery(message.id) for message in asked]
        assert claim.abandoned == (found[0].id, found[1].id)
        assert [one.deaths for one in found] == [1, 1, 0]
        assert [one.attempt for one in found] == [1, 1, 0]
        assert [one.state for one in found] == [State.SEEN, State.SEEN, State.QUEUED]
        leased = await bench.mailbox.leased(claim.abandoned[0])
        assert (leased.lease.owner, leased.lease.epoch) == ("relay-2", claim.epoch)
        await bench.mailbox.settle([leased.lease], State.UNKNOWN, "nothing can tell")

    async def test_a_reboot_counts_no_death(self, bench: Bench) -> None:
        asked = (await bench.put()).message
        await bench.begin()
        await bench.claim("a", relay="relay-2", deaths=False)
        assert (await bench.delivery(asked.id)).deaths == 0

    async def test_a_claim_that_died_before_it_handed_anything_over_counts_no_death(self, bench: Bench) -> None:
        asked = (await bench.put()).message
        await bench.begin()
        await bench.claim("a", relay="relay-2")
        (held,) = (await bench.claim("a", relay="relay-3")).abandoned
        assert (await bench.delivery(asked.id)).deaths == 1
        lease = (await bench.mailbox.leased(held)).lease
        await bench.mailbox.relet(lease, submission="again", session="s", note="once more")
        await bench.claim("a", relay="relay-4")
        assert (await bench.delivery(asked.id)).deaths == 2

    async def test_a_turn_that_a_stop_ended_counts_no_death(self, bench: Bench) -> None:
        asked = (await bench.put()).message
        leased = await bench.begin()
        await bench.mailbox.wish(leased.lease, Wish.STOP)
        await bench.claim("a", relay="relay-2")
        assert (await bench.delivery(asked.id)).deaths == 0

    async def test_a_death_that_was_none_is_taken_back(self, bench: Bench) -> None:
        asked = [(await bench.put()).message for _ in range(2)]
        stopped = await bench.begin()
        await bench.mailbox.wish(stopped.lease, Wish.STOP)
        await bench.lease()
        claim = await bench.claim("a", relay="relay-2")
        assert claim.counted == (claim.abandoned[1],)
        forgiven = await bench.mailbox.forgive((await bench.mailbox.leased(claim.counted[0])).lease)
        assert forgiven.delivery == await bench.delivery(asked[1].id)
        assert forgiven.delivery.deaths == 0
        assert (await bench.claim("a", relay="relay-3")).counted == ()

    async def test_a_claim_takes_nothing_of_other_agents(self, bench: Bench) -> None:
        await bench.claim("b")
        await bench.put("b")
        leased = await bench.begin("b")
        assert (await bench.claim("a", relay="relay-2")).abandoned == ()
        await bench.mailbox.settle([leased.lease], State.ANSWERED, "")

    async def test_what_an_older_epoch_was_ordered_is_closed(self, bench: Bench) -> None:
        kinds = (CommandKind.COMPACT, CommandKind.STOP, CommandKind.KILL, CommandKind.RESTART)
        orders = [await bench.mailbox.order("a", kind, sender="user") for kind in kinds]
        await bench.claim("a", relay="relay-2")
        ended = [(await bench.mailbox.command(order.id)).state for order in orders]
        assert ended == [CommandState.FAILED, *[CommandState.SUCCEEDED] * 3]

    async def test_an_order_to_end_waits_on_where_the_same_relay_claims_again(self, bench: Bench) -> None:
        kinds = (CommandKind.STOP, CommandKind.KILL, CommandKind.RESTART, CommandKind.COMPACT)
        orders = [await bench.mailbox.order("a", kind, sender="user") for kind in kinds]
        epoch = (await bench.claim("a")).epoch
        assert [order.id for order in await bench.mailbox.orders("a", epoch)] == [order.id for order in orders[:2]]
        ended = [(await bench.mailbox.command(order.id)).state for order in orders[2:]]
        assert ended == [CommandState.SUCCEEDED, CommandState.FAILED]
        await bench.mailbox.retire("a", epoch, IDLE)
        for order in orders[:2]:
            assert (await bench.mailbox.command(order.id)).state is CommandState.SUCCEEDED

    async def test_the_status_of_an_agent_is_reported_and_its_queue_counted(self, bench: Bench) -> None:
        await bench.put(body="12345")
        await bench.say("a", bench.claims["a"].epoch, IDLE, pid=17, session="s")
        (entry,) = await bench.mailbox.agents()
        assert (entry.status, entry.pid, entry.session) == (IDLE, 17, "s")
        assert (entry.queued, entry.queued_bytes) == (1, 5)
        await bench.begin()
        (entry,) = await bench.mailbox.agents()
        assert (entry.queued, entry.queued_bytes) == (0, 0)

    async def test_who_said_to_be_idle_is_busy_with_what_it_holds(self, bench: Bench) -> None:
        asked, epoch = await bench.put(), bench.claims["a"].epoch
        await bench.say("a", epoch, IDLE, pid=17, session="s")
        leased = await bench.lease()
        (entry,) = await bench.mailbox.agents()
        assert (entry.status.kind, entry.status.reason) == (StatusKind.BUSY, "turn")
        assert entry.status.work == (WorkItem(kind="message", id=asked.message.id),)
        assert entry.status.since == leased.delivery.steps[-1].at
        paused = Status(kind=StatusKind.ERROR, reason="paused")
        await bench.say("a", epoch, paused, pid=17, session="s")
        assert [entry.status for entry in await bench.mailbox.agents()] == [paused]
        await bench.say("a", epoch, IDLE, pid=17, session="s")
        await bench.mailbox.settle([leased.lease], State.ANSWERED, "")
        assert [entry.status for entry in await bench.mailbox.agents()] == [IDLE]

    async def test_a_report_of_an_epoch_that_is_over_is_refused(self, bench: Bench) -> None:
        old = bench.claims["a"].epoch
        await bench.claim("a")
        with pytest.raises(LeaseLostError):
            await bench.say("a", old, IDLE, pid=1, session=None)
        with pytest.raises(LeaseLostError):
            await bench.mailbox.retire("a", old, IDLE)

    async def test_an_agent_that_is_retired_keeps_its_queue(self, bench: Bench) -> None:
        await bench.put()
        await bench.mailbox.retire("a", bench.claims["a"].epoch, Status(kind=StatusKind.OFFLINE))
        (entry,) = await bench.mailbox.agents()
        assert (entry.owner, entry.pid, entry.status.kind, entry.queued) == (None, None, StatusKind.OFFLINE, 1)
        await bench.put()
        await bench.claim("a")
        await bench.lease()

    async def test_the_directory_is_sorted_and_whole(self, bench: Bench) -> None:
        traits: dict[str, Any] = {
            "label": "l",
            "tags": ("t", "u"),
            "capabilities": ("c",),
            "reachable_by": (),
            "in_groups": False,
            "may_send_now": True,
        }
        await bench.claim("c", "b", **traits)
        entries = await bench.mailbox.agents()
        assert [entry.agent.id for entry in entries] == ["a", "b", "c"]
        assert entries[1].agent == Agent(id="b", provider="echo", cwd="/", **traits)


class Descriptions(MailboxPart):
    """What an agent's provider says of itself."""

    async def test_what_is_longer_than_the_provider_takes_is_refused_at_the_put(self, bench: Bench) -> None:
        await bench.mailbox.describe(agent_of("a", max_text=5), bench.claims["a"].epoch)
        await bench.put(body="12345")
        with pytest.raises(RefusedError, match="a takes 5"):
            await bench.put(body="123456")

    async def test_in_a_group_only_whose_provider_takes_it_gets_it(self, bench: Bench) -> None:
        await bench.claim("b", "c", tags=("x",))
        await bench.mailbox.describe(agent_of("b", max_text=5, tags=("x",)), bench.claims["b"].epoch)
        sent = (await bench.put("tag:x", "123456")).message
        assert (await bench.delivery(sent.id, "b")).state is State.REFUSED
        assert (await bench.delivery(sent.id, "c")).state is State.QUEUED
        await bench.put("any:tag:x", "1234567")
        assert await bench.offered("b") is None
        assert (await bench.lease("c")).message.id == sent.id

    async def test_it_is_known_from_the_last_life_until_it_is_said_again(self, bench: Bench) -> None:
        await bench.mailbox.describe(agent_of("a", max_text=5), bench.claims["a"].epoch)
        await bench.claim("a")
        with pytest.raises(RefusedError):
            await bench.put(body="123456")
        await bench.mailbox.describe(agent_of("a"), bench.claims["a"].epoch)
        await bench.put(body="123456")

    async def test_what_it_can_do_is_in_the_directory_from_the_last_life_on(self, bench: Bench) -> None:
        able = Capabilities(resume=True, model="m")
        await bench.mailbox.describe(agent_of("a", able=able), bench.claims["a"].epoch)
        await bench.claim("a")
        (entry,) = await bench.mailbox.agents()
        assert entry.agent.able == able

    async def test_a_run_that_is_over_describes_nothing(self, bench: Bench) -> None:
        old = bench.claims["a"].epoch
        await bench.claim("a")
        with pytest.raises(LeaseLostError):
            await bench.mailbox.describe(agent_of("a", max_text=1), old)
        await bench.put(body="12")


def agent_of(name: str, **traits: Any) -> Agent:
    """Return an agent as the bench claims it."""
    return Agent(id=name, provider="echo", cwd="/", **traits)


class Relays(MailboxPart):
    """Relays, their heartbeats and what dead ones held."""

    async def _join(self, bench: Bench, name: str = RELAY, boot: str = "boot-1", beat: float = 0.0) -> RelayRecord:
        relay = RelayRecord(incarnation=name, pid=1, boot=boot, beat=beat)
        await bench.mailbox.join(relay)
        return relay

    async def test_relays_enter_beat_and_leave(self, bench: Bench) -> None:
        await self._join(bench)
        await bench.mailbox.beat(RELAY, "boot-1", 42.0)
        assert [relay.beat for relay in await bench.mailbox.relays()] == [42.0]
        await bench.mailbox.leave(RELAY)
        assert await bench.mailbox.relays() == []

    async def _lease_any(self, bench: Bench) -> str:
        await self._join(bench)
        await bench.claim("b", "c", tags=("x",))
        asked = (await bench.put("any:tag:x")).message
        await bench.lease("b")
        return asked.id

    async def test_any_that_a_dead_relay_leased_is_free_for_the_others(self, bench: Bench) -> None:
        asked = await self._lease_any(bench)
        assert await bench.mailbox.release_stale("boot-1", before=0.0) == 0
        assert await bench.mailbox.release_stale("boot-1", before=30.0) == 1
        assert (await bench.lease("c")).message.id == asked
        assert states(await bench.delivery(asked)) == [State.QUEUED, State.LEASED, State.QUEUED, State.LEASED]

    async def test_any_that_was_handed_over_stays_with_its_agent(self, bench: Bench) -> None:
        await self._join(bench)
        await bench.claim("b", tags=("x",))
        await bench.put("any:tag:x")
        await bench.begin("b")
        assert await bench.mailbox.release_stale("boot-1", before=30.0) == 0

    async def test_relays_of_another_boot_are_dead_whatever_their_beat(self, bench: Bench) -> None:
        await self._lease_any(bench)
        await bench.mailbox.beat(RELAY, "boot-1", 10_000.0)
        assert await bench.mailbox.release_stale("boot-2", before=0.0) == 1
        assert await bench.mailbox.relays() == []

    async def test_relays_that_are_known_to_be_dead_are_so_whatever_their_beat(self, bench: Bench) -> None:
        asked = await self._lease_any(bench)
        await bench.mailbox.beat(RELAY, "boot-1", 10_000.0)
        assert await bench.mailbox.release_stale("boot-1", before=0.0, dead=["another"]) == 0
        assert await bench.mailbox.release_stale("boot-1", before=0.0, dead=[RELAY, "another"]) == 1
        assert (await bench.lease("c")).message.id == asked
        assert [relay.incarnation for relay in await bench.mailbox.relays()] == [RELAY], (
            "who ran an agent last is known"
        )

    async def test_an_agents_own_deliveries_wait_for_its_lock(self, bench: Bench) -> None:
        await self._join(bench)
        await bench.put("a")
        await bench.lease("a")
        assert await bench.mailbox.release_stale("boot-1", before=30.0) == 0

    @pytest.mark.parametrize("died", [True, False])
    async def test_what_was_on_its_way_out_goes_again(self, bench: Bench, died: bool) -> None:
        await self._join(bench)
        await bench.put("x@dock", sender="a")
        await bench.mailbox.lease_outgoing("x@dock", owner=RELAY)
        if died:
            await bench.mailbox.release_stale("boot-1", before=30.0)
        else:
            await bench.mailbox.leave(RELAY)
        again = await bench.mailbox.lease_outgoing("x@dock", owner="relay-2")
        assert again is not None
        assert again.delivery.attempt == 2
