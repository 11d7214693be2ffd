"""Keys: a bad one is told of, an old one is rotated, and at every moment there is one that works."""

from __future__ import annotations

import anyio
import pytest
from msgspec.structs import replace

from relaykit.errors import CredentialError
from relaykit.model import Credential, Secret
from relaykit.testing.contexts import make_message
from relaykit.testing.dock import Trouble, error
from relaykit.testing.dock_http import Reply

pytestmark = pytest.mark.anyio
DAY = 86400.0
HTTP = {"mode": "http", "heartbeat_seconds": 0}


def authorization(request) -> str:
    return request.headers.get("authorization", "").removeprefix("Bearer ")


def rotations(dock) -> int:
    return len(dock.said("POST /agents/bob/rotate-key"))


def aged(bench, days: float = 31, **changes) -> Credential:
    """Make the credential so old; return it."""
    record = replace(bench.credentials.kept["dock"], since=bench.clock.now() - days * DAY, **changes)
    bench.credentials.kept["dock"] = record
    return record


def kept(bench) -> Credential:
    return bench.credentials.kept["dock"]


async def promoted(bench, key: str) -> None:
    await bench.dock.until(lambda: True)
    with anyio.fail_after(10):
        while kept(bench).secret != Secret(key):
            await bench.clock.advance(0)
            await anyio.lowlevel.checkpoint()


@pytest.mark.parity("CR-7")
async def test_a_bad_key_is_an_error_at_the_start_that_says_what_to_do(bench):
    bench.dock.keys = {"another"}
    with pytest.raises(CredentialError, match="`relaykit credentials set dock`") as caught:
        async with bench.open():
            pytest.fail("it opened")
    assert "sk_live" not in str(caught.value)
    assert bench.reports == []  # it is told of once


@pytest.mark.parity("CR-7")
@pytest.mark.parametrize("mode", ["http", "auto"])
async def test_a_key_that_goes_bad_after_an_hour_is_told_of_once_and_a_good_one_is_taken_without_a_restart(bench, mode):
    async with bench.open(mode=mode) as transport:
        await bench.dock.until(lambda: bool(bench.dock.said("GET /messages/peek")))
        await bench.clock.advance(3600)
        bench.dock.keys = {"sk_live_new"}
        bench.dock.cut_streams()
        for _ in range(20):
            await bench.clock.advance(30)
        refused = [line for line in bench.reports if "refuses the key" in line]
        assert len(refused) == 1
        assert "relaykit credentials set dock" in refused[0]
        with pytest.raises(Exception, match="401"):
            await transport.send(make_message("x", to="alice@dock"), "alice@dock")
        bench.dock.tell("hello", stream=False)
        bench.credentials.kept["dock"] = replace(kept(bench), secret=Secret("sk_live_new"))
        await bench.clock.advance(60)
        await bench.arrived(1)
    assert any("takes the key again" in line for line in bench.reports)
    assert "sk_live" not in str(bench.reports)


@pytest.mark.parity("CR-6")
@pytest.mark.parametrize("overlap", [True, False])
async def test_an_old_key_is_rotated_and_every_user_of_it_has_the_new_one_at_once(bench, overlap):
    bench.dock.overlap = overlap
    async with bench.open(heartbeat_seconds=30) as transport:
        await bench.dock.until(lambda: bench.dock.open_streams == 1)
        aged(bench)
        await bench.clock.advance(3600)
        await promoted(bench, "sk_live_bob_1")
        await bench.clock.advance(30)
        await bench.dock.until(lambda: len(bench.dock.said("GET /messages/stream")) >= 2)
        bench.dock.keys = {"sk_live_bob_1"}
        begun = len(bench.dock.requests)
        await bench.clock.advance(60)
        await transport.send(make_message("hello", to="alice@dock"), "alice@dock")
        bench.dock.tell("through the stream")
        await bench.dock.until(lambda: "m1" in bench.dock.acked)
        users = {str(request) for request in bench.dock.requests[begun:]}
    assert {authorization(request) for request in bench.dock.requests[begun:]} == {"sk_live_bob_1"}
    assert {"POST /agents/bob/heartbeat", "POST /messages", "POST /messages/ack"} <= users
    assert rotations(bench.dock) == 1
    assert (kept(bench).since, kept(bench).pending, kept(bench).rotation) == (
        pytest.approx(bench.clock.now(), abs=300),
        None,
        None,
    )
    assert not [line for line in bench.reports if "refuses" in line or "not rotated" in line]
    assert "sk_live" not in str(bench.reports)


@pytest.mark.parity("CR-6")
async def test_the_age_of_a_key_is_its_own_and_no_use_makes_it_younger(bench):
    aged(bench, days=29.99)
    async with bench.open(**HTTP):
        await bench.clock.advance(0)
        assert bench.credentials.uses == ["dock"]
        assert rotations(bench.dock) == 0
        await bench.clock.advance(3600)
        await promoted(bench, "sk_live_bob_1")


@pytest.mark.parametrize(("days", "age"), [(0, 4000), (30, 0)])
async def test_a_key_is_not_rotated_where_that_is_turned_off_or_its_age_is_not_known(bench, days, age):
    aged(bench, days=age) if age else bench.credentials.kept.update(dock=replace(kept(bench), since=0.0))
    async with bench.open(**HTTP, key_days=days):
        for _ in range(3):
            await bench.clock.advance(3600)
        await bench.dock.until(lambda: len(bench.dock.said("GET /messages/peek")) > 1)
    assert rotations(bench.dock) == 0


@pytest.mark.parity("CR-6")
async def test_each_step_of_a_rotation_is_stored_before_the_next_one_is_taken(bench):
    old = aged(bench)
    async with bench.open(**HTTP):
        await promoted(bench, "sk_live_bob_1")
    begun, promised, done = bench.credentials.changes
    [asked] = bench.dock.said("POST /agents/bob/rotate-key")
    assert (begun.secret, begun.pending) == (old.secret, None)
    assert begun.rotation == asked.headers["idempotency-key"]
    assert asked.body == b""
    assert (promised.secret, promised.pending) == (old.secret, Secret("sk_live_bob_1"))
    assert done == old.rotating("x").promised(Secret("sk_live_bob_1")).promoted(done.since)


@pytest.mark.parity("CR-6")
@pytest.mark.parametrize("overlap", [True, False])
async def test_an_answer_that_was_lost_is_asked_for_again_under_the_same_id(bench, overlap):
    """As after a crash: the intention is stored, and nothing else."""
    aged(bench)
    bench.dock.on("POST /agents/bob/rotate-key", Trouble.LOSE)
    async with bench.open(**HTTP):
        await bench.dock.until(lambda: rotations(bench.dock) == 1)
        await bench.clock.advance(0)
    assert kept(bench).rotation is not None
    assert kept(bench).pending is None
    async with bench.open(**HTTP):
        await promoted(bench, "sk_live_bob_1")
    first, second = bench.dock.said("POST /agents/bob/rotate-key")
    assert first.headers["idempotency-key"] == second.headers["idempotency-key"]


@pytest.mark.parity("CR-6")
async def test_where_the_answer_is_lost_for_good_a_person_is_told(bench):
    aged(bench)
    bench.dock.overlap = False
    bench.dock.on("POST /agents/bob/rotate-key", Trouble.LOSE)
    async with bench.open(**HTTP):
        await bench.dock.until(lambda: rotations(bench.dock) == 1)
        await bench.clock.advance(70)
        await bench.dock.until(lambda: rotations(bench.dock) >= 2)
        await bench.clock.advance(0)
    assert any("refuses the key of credential 'dock'" in line for line in bench.reports)


@pytest.mark.parity("CR-6")
@pytest.mark.parametrize("good", [{"new"}, {"new", "sk_live_bob"}])
async def test_a_crash_after_the_new_key_was_stored_goes_on_with_it(bench, good):
    bench.credentials.kept["dock"] = kept(bench).rotating("r-1").promised(Secret("new"))
    bench.dock.keys = good
    async with bench.open(**HTTP):
        await promoted(bench, "new")
    assert rotations(bench.dock) == 0
    assert authorization(bench.dock.requests[0]) == "new"


@pytest.mark.parity("CR-6")
async def test_inside_the_overlap_the_old_key_is_tried_where_the_new_one_is_refused(bench):
    bench.credentials.kept["dock"] = kept(bench).rotating("r-1").promised(Secret("new"))
    bench.dock.tell("hello", stream=False)
    async with bench.open(**HTTP):
        await bench.arrived(1)
        bench.dock.keys.add("new")
        for _ in range(5):
            await bench.clock.advance(10)
        await promoted(bench, "new")
    assert not [line for line in bench.reports if "refuses" in line]


@pytest.mark.parity("CR-6")
async def test_a_new_key_that_never_works_is_given_up_and_the_old_one_kept(bench):
    bench.credentials.kept["dock"] = kept(bench).rotating("r-1").promised(Secret("new"))
    async with bench.open(**HTTP):
        for _ in range(12):
            await bench.clock.advance(10)
        with anyio.fail_after(10):
            while kept(bench).rotation is not None:
                await bench.clock.advance(1)
        bench.dock.tell("hello", stream=False)
        await bench.clock.advance(60)
        await bench.arrived(1)
    assert (kept(bench).secret, kept(bench).pending) == (Secret("sk_live_bob"), None)
    assert any("kept the old" in line for line in bench.reports)


@pytest.mark.parity("CR-6")
@pytest.mark.parametrize(
    "answer", [Reply(body=b"{}"), Reply(body=b'{"data": {"apiKey": "a b"}}'), error(500), error(429)]
)
async def test_a_rotation_that_fails_is_told_of_and_tried_again(bench, answer):
    aged(bench)
    bench.dock.on("POST /agents/bob/rotate-key", answer)
    async with bench.open(**HTTP):
        await bench.dock.until(lambda: rotations(bench.dock) == 1)
        await bench.clock.advance(70)
        await promoted(bench, "sk_live_bob_2")
    assert any("the key is not rotated yet" in line for line in bench.reports)


async def test_a_server_that_rotates_no_keys_leaves_no_rotation_behind(bench):
    aged(bench)
    bench.dock.on("POST /agents/bob/rotate-key", error(404))
    async with bench.open(**HTTP):
        await bench.dock.until(lambda: rotations(bench.dock) == 1)
        with anyio.fail_after(10):
            while kept(bench).rotation is not None or len(bench.credentials.changes) < 2:
                await bench.clock.advance(0)
    assert kept(bench).secret == Secret("sk_live_bob")


@pytest.mark.parity("CR-6")
async def test_of_several_that_share_a_key_one_rotates_it_and_the_others_take_it(bench):
    aged(bench)
    bench.dock.overlap = False
    async with bench.open(**HTTP), bench.open(**HTTP), bench.open(**HTTP):
        await promoted(bench, "sk_live_bob_1")
        for _ in range(3):
            bench.dock.tell("hello", stream=False)
            await bench.clock.advance(60)
        await bench.arrived(3)
    assert rotations(bench.dock) == 1
    assert not [line for line in bench.reports if "refuses" in line]


async def test_no_secret_is_in_what_a_transport_keeps_says_or_shows(bench):
    aged(bench)
    bench.dock.tell("hello", stream=False)
    async with bench.open(**HTTP) as transport:
        await promoted(bench, "sk_live_bob_1")
        await bench.arrived(1)
        receipt = await transport.send(make_message("hello", to="alice@dock"), "alice@dock")
        shown = [repr(transport), repr(receipt), repr(bench.intake.drafts), *bench.reports, repr(bench.context)]
    shown += [repr(kept(bench)), repr(bench.credentials.changes)]
    assert not [text for text in shown if "sk_live" in text]
    files = [path for path in bench.home.rglob("*") if path.is_file()]
    assert files
    assert not [path for path in files if b"sk_live" in path.read_bytes() or path.stat().st_mode & 0o077]
