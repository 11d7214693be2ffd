"""What the dock keeps of a message beside its text is synced before the answer, together with what others wait for."""

from __future__ import annotations

import errno
import threading

import anyio
import pytest

from relaykit_signaldock.dock.sqlite_store import SqliteStore
from relaykit_signaldock.dock.syncing import Syncer

pytestmark = pytest.mark.anyio


async def test_one_sync_is_for_all_who_asked_before_it_and_none_for_who_came_later():
    begun, go_on, syncs = anyio.Event(), threading.Event(), []

    def sync():
        syncs.append(1)
        anyio.from_thread.run_sync(begun.set)
        assert go_on.wait(10)

    syncer = Syncer(sync)
    with anyio.fail_after(20):
        async with anyio.create_task_group() as tasks:
            early = [syncer.ask() for _ in range(50)]
            tasks.start_soon(syncer.run)
            await begun.wait()
            late = syncer.ask()  # what it wrote may have missed the sync that runs
            go_on.set()
            for turn in early:
                await turn.wait()
            await late.wait()
            tasks.cancel_scope.cancel()
    assert len(syncs) == 2


async def test_a_message_whose_metadata_cannot_be_synced_is_not_answered_as_taken(docks, monkeypatch):
    calls = []

    def sync(store):
        calls.append(store)
        if len(calls) > 1:
            raise OSError(errno.EIO, "Input/output error")

    monkeypatch.setattr(SqliteStore, "sync", sync)
    async with docks.open("alice", "bob") as (alice, bob):
        said = {"toAgentId": "bob", "content": "hello", "metadata": {"a": 1}}
        assert (await alice.ask("POST", "/messages", said, Idempotency_Key="1")).status == 201
        lost = await alice.ask("POST", "/messages", said, Idempotency_Key="2")
        assert (lost.status, lost.code) == (503, "E_INTERNAL_DATABASE")
        assert "cannot be synced" in lost.json["error"]["message"]
        assert [one["metadata"] for one in await bob.peek()] == [{"a": 1}, {"a": 1}]  # as after any lost answer
