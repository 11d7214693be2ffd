"""The lock by which the death of a relay is known at once."""

from __future__ import annotations

import os
import signal
import stat
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest

from relaykit.errors import StoreError
from relaykit.model import Draft, RelayRecord, State, new_id
from relaykit.plugin import Receipt
from relaykit.relay import ownership
from relaykit.relay.lifelines import dead, forget, lifeline
from relaykit.relay.ownership import BEAT_SECONDS
from relaykit.testing.clock import settle
from relaykit.testing.harness import World

HOLD = """
import subprocess, sys
from pathlib import Path
from relaykit.relay.lifelines import lifeline
with lifeline(Path(sys.argv[1]), sys.argv[2]):
    with subprocess.Popen(["sleep", "20"], close_fds=False) as child:
        print(child.pid, flush=True)
"""
SECONDS = 20


def files(home: Path) -> list[str]:
    return sorted(path.name for path in (home / "locks").iterdir())


def test_it_is_held_while_the_relay_lives_and_gone_when_it_has_left(tmp_path: Path) -> None:
    with lifeline(tmp_path, "one"):
        assert (files(tmp_path), dead(tmp_path)) == (["one.life"], [])
        assert stat.S_IMODE((tmp_path / "locks" / "one.life").stat().st_mode) == 0o600
    assert (files(tmp_path), dead(tmp_path)) == ([], [])


def test_one_that_breaks_down_leaves_it_behind_and_counts_as_dead(tmp_path: Path) -> None:
    with pytest.raises(OSError, match="broken"), lifeline(tmp_path, "one"):
        raise OSError("broken")
    assert dead(tmp_path) == ["one"]
    forget(tmp_path, ["one", "another"])
    assert (files(tmp_path), dead(tmp_path)) == ([], [])


def test_a_home_in_which_no_relay_ever_ran_has_no_dead(tmp_path: Path) -> None:
    assert dead(tmp_path / "nothing") == []


def test_a_process_that_is_killed_is_dead_at_once_and_its_children_hold_nothing(tmp_path: Path) -> None:
    words = [sys.executable, "-c", HOLD, str(tmp_path), "one"]
    with subprocess.Popen(words, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        child = int(process.stdout.readline())
        assert dead(tmp_path) == []
        process.kill()
        process.wait(SECONDS)
        os.kill(child, 0)
        assert dead(tmp_path) == ["one"]
        os.kill(child, signal.SIGKILL)


class Outside:
    """The other side of a transport, which takes what it is given."""

    def reaches(self, recipient: str) -> bool:
        return True

    async def send(self, *_: object) -> Receipt:
        return Receipt(detail="taken")


@pytest.mark.anyio
@pytest.mark.parity("N-2")
async def test_what_a_dead_relay_was_sending_goes_with_the_next_one_and_no_time_passes(world: World) -> None:
    gone = RelayRecord(incarnation="gone", pid=1, boot=world.clock.boot_id(), beat=world.clock.boot())
    await world.mailbox.join(gone)
    async with world.relay(transports={"dock": Outside()}):
        pass  # so that the address is known
    put = await world.mailbox.put(Draft(id=new_id(), sender="user", to="bob@dock", body="hello"))
    assert await world.mailbox.lease_outgoing("bob@dock", owner="gone") is not None
    with pytest.raises(OSError, match="killed"), lifeline(world.home, "gone"):
        raise OSError("killed")
    async with world.relay(transports={"dock": Outside()}):
        ended = await world.ended(put.message.id)
    assert ended.deliveries[0].state is State.ACKNOWLEDGED
    assert [step.state for step in ended.deliveries[0].steps].count(State.LEASED) == 2
    assert dead(world.home) == []


@pytest.mark.anyio
@pytest.mark.parametrize("broken", [StoreError("the store is gone"), None])
async def test_a_store_or_a_file_that_does_not_take_it_is_asked_again_at_the_next_beat_and_not_before(
    world: World, monkeypatch: pytest.MonkeyPatch, broken: StoreError | None
) -> None:
    asked: list[tuple[str, ...]] = []

    async def release_stale(_boot: str, _before: float, dead: Sequence[str] = ()) -> int:
        asked.append(tuple(dead))
        if broken:
            raise broken
        return 0

    def kept(*_: object, **__: object) -> None:
        raise PermissionError("read-only")

    with pytest.raises(OSError, match="killed"), lifeline(world.home, "gone"):
        raise OSError("killed")
    monkeypatch.setattr(world.mailbox, "release_stale", release_stale)
    monkeypatch.setattr(ownership, "forget", kept)
    async with world.relay():
        await settle()
        assert asked == [("gone",)]
        await world.clock.advance(BEAT_SECONDS)
        assert asked == [("gone",)] * 2
        (beat,) = [relay.beat for relay in await world.mailbox.relays()]
        assert beat == world.clock.boot()
