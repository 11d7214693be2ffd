"""What holds for credential stores that can do more than give secrets out."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import anyio
import pytest
from msgspec.structs import replace

from relaykit.errors import CredentialError
from relaykit.model import Credential, Secret
from relaykit.plugin import (
    ChangesCredentials,
    Context,
    CredentialStore,
    KeepsRecords,
    ListsCredentials,
    RotatesMachineKey,
)
from relaykit.registry import CREDENTIAL_STORE, Registry
from relaykit.testing.clock import VirtualClock

_AT_ONCE = 8
FULL = Credential(
    secret=Secret("sk_live_first"),
    kind="signaldock",
    fields={"agentId": "bob", "skills": ["a", "ü"], "transportConfig": {"pollIntervalMs": 5000}},
    since=1_750_000_000.0,
)


def changes(store: CredentialStore) -> ChangesCredentials:
    """Return a store that can be written to; skip the check otherwise."""
    return store if isinstance(store, ChangesCredentials) else pytest.skip("it cannot be written to")


def keeps_records(store: CredentialStore) -> KeepsRecords:
    """Return a store that keeps records; skip the check otherwise."""
    return store if isinstance(store, KeepsRecords) else pytest.skip("it keeps secrets alone")


def lists(store: CredentialStore) -> ListsCredentials:
    """Return a store that lists what it keeps; skip the check otherwise."""
    return store if isinstance(store, ListsCredentials) else pytest.skip("it does not list what it keeps")


def has_machine_key(store: CredentialStore) -> RotatesMachineKey:
    """Return a store with a machine key; skip the check otherwise."""
    return store if isinstance(store, RotatesMachineKey) else pytest.skip("it has no machine key")


async def put(store: ChangesCredentials, name: str, credential: Credential | None) -> None:
    """Replace a credential, whatever was there."""
    with anyio.fail_after(5):
        await store.change(name, lambda _: credential)


@pytest.mark.anyio
class CredentialAbilities:
    """The checks of the small protocols; part of ``CredentialStoreSuite``."""

    component: Any

    async def test_a_listing_names_everything_and_shows_no_value(
        self, store: CredentialStore, stored: Mapping[str, str]
    ) -> None:
        """It ends up on screens and in tickets."""
        listed = await lists(store).credentials()
        names = [one.name for one in listed]
        assert names == sorted(await store.names())
        assert not [value for value in stored.values() if value in str(listed)]

    async def test_a_record_comes_back_whole(self, store: CredentialStore) -> None:
        """Fields, kind, age and all."""
        await put(changes(store), "full", FULL)
        assert await keeps_records(store).record("full") == FULL
        assert await store.get("full") == FULL.secret

    async def test_a_plain_secret_is_a_record_without_fields(
        self, store: CredentialStore, stored: Mapping[str, str]
    ) -> None:
        """So that nobody has to ask which it is."""
        name, value = next(iter(stored.items()))
        found = await keeps_records(store).record(name)
        assert (found.secret, dict(found.fields), found.pending) == (Secret(value), {}, None)

    async def test_a_change_is_given_what_is_there_and_returns_what_it_made(self, store: CredentialStore) -> None:
        """Nothing there is None."""
        changing, given = changes(store), []

        def change(current: Credential | None) -> Credential:
            given.append(current)
            return replace(current or FULL, kind=f"{len(given)}")

        assert await changing.change("new", change) == replace(FULL, kind="1")
        assert await changing.change("new", change) == replace(FULL, kind="2")
        assert given == [None, replace(FULL, kind="1")]

    async def test_what_is_removed_is_gone(self, store: CredentialStore) -> None:
        """From every place that it could be found in."""
        changing = changes(store)
        await put(changing, "gone", FULL)
        assert await changing.change("gone", lambda _: None) is None
        assert await changing.change("never-was", lambda _: None) is None
        assert "gone" not in await store.names()
        if isinstance(store, ListsCredentials):
            assert "gone" not in [one.name for one in await store.credentials()]
        with pytest.raises(CredentialError, match="gone"):
            await store.get("gone")

    async def test_a_change_that_fails_changes_nothing(self, store: CredentialStore) -> None:
        """And it fails with its own error, once, and not again at the next."""
        changing = changes(store)
        await put(changing, "steady", FULL)

        def fail(_: Credential | None) -> Credential:
            raise CredentialError("changed my mind")

        with pytest.raises(CredentialError, match="changed my mind"):
            await changing.change("steady", fail)
        assert await changing.change("steady", lambda current: current) == FULL

    async def test_changes_at_once_do_not_overwrite_each_other(self, store: CredentialStore) -> None:
        """Each sees what the one before it made."""
        changing = changes(store)
        await put(changing, "counted", FULL)

        def count(current: Credential | None) -> Credential:
            assert current is not None
            return replace(current, since=current.since + 1)

        with anyio.fail_after(10):
            async with anyio.create_task_group() as tasks:
                for number in range(_AT_ONCE):
                    tasks.start_soon(changing.change, "counted", count, name=f"change {number}")
        assert await changing.change("counted", lambda current: current) == replace(FULL, since=FULL.since + _AT_ONCE)

    async def test_a_new_secret_waits_beside_the_old_one_until_it_is_promoted(self, store: CredentialStore) -> None:
        """So that no crash between a server's answer and the first use of the new key loses either."""
        changing, records = changes(store), keeps_records(store)
        begun = FULL.rotating("r-1")
        assert begun.rotating("r-2").rotation == "r-1"
        for step in (begun, begun.promised(Secret("sk_live_second"))):
            await put(changing, "turning", step)
            assert await records.record("turning") == step
            assert await store.get("turning") == FULL.secret
        await put(changing, "turning", step.promoted(1_760_000_000.0))
        assert await store.get("turning") == Secret("sk_live_second")
        found = await records.record("turning")
        assert (found.since, found.rotation, found.pending) == (1_760_000_000.0, None, None)
        assert found.fields == FULL.fields

    async def test_only_one_rotates_a_credential_at_a_time(self, store: CredentialStore) -> None:
        """Another credential is another matter, and so is the time after."""
        changing = changes(store)
        async with changing.alone("one") as first, changing.alone("one") as second, changing.alone("other") as other:
            assert (first, second, other) == (True, False, True)
        async with changing.alone("one") as again:
            assert again

    async def test_a_use_is_marked_and_the_latest_one_can_be_told(
        self, store: CredentialStore, clock: VirtualClock, stored: Mapping[str, str]
    ) -> None:
        """Which is the default where none is named."""
        first, second = sorted(stored)[:2]
        records, listing = keeps_records(store), lists(store)
        used = {one.name: one.used_at for one in await listing.credentials()}
        assert used[first] is None
        for name in (second, first):
            await records.mark_used(name)
            await clock.advance(60)
        used = {one.name: one.used_at for one in await listing.credentials()}
        earlier, later = used[second], used[first]
        assert earlier is not None
        assert later is not None
        assert later - earlier == pytest.approx(60, abs=1)
        await records.mark_used("no-such-credential")

    @pytest.mark.parametrize("name", ["", "no such", "../up", "a\nb"])
    async def test_what_is_no_name_is_not_stored(self, store: CredentialStore, name: str) -> None:
        """It could be a path, or the secret itself."""
        with pytest.raises(CredentialError):
            await put(changes(store), name, FULL)

    async def test_an_empty_secret_is_refused(self, store: CredentialStore) -> None:
        """It would be a sign-in without one."""
        with pytest.raises(CredentialError):
            await put(changes(store), "empty", Credential(secret=Secret("")))

    async def test_what_cannot_be_kept_is_refused_without_being_shown(self, store: CredentialStore) -> None:
        """The error goes into logs."""
        changing = changes(store)
        for strange in (replace(FULL, fields={"a": {1, 2}}), replace(FULL, secret=Secret("sk_live_\ud800"))):
            with pytest.raises(CredentialError) as caught:
                await put(changing, "strange", strange)
            assert "sk_live" not in str(caught.value)
            assert caught.value.__cause__ is None

    async def test_it_is_all_there_when_the_store_is_opened_again(
        self, store: CredentialStore, registry: Registry, context: Context, opening_options: Mapping[str, Any]
    ) -> None:
        """By another process, too."""
        await put(changes(store), "lasting", FULL)
        async with registry.open(CREDENTIAL_STORE, self.component, opening_options, context) as again:
            assert await keeps_records(again).record("lasting") == FULL

    async def test_a_new_machine_key_keeps_every_credential(
        self, store: CredentialStore, stored: Mapping[str, str]
    ) -> None:
        """And they can be changed as before."""
        await put(changes(store), "full", FULL)
        count = await has_machine_key(store).rotate_machine_key()
        assert count == len(await store.names())
        assert await keeps_records(store).record("full") == FULL
        for name, value in stored.items():
            assert await store.get(name) == Secret(value)
        await put(changes(store), "after", FULL)
        assert await store.get("after") == FULL.secret
