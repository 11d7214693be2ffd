"""How long an agent rests, and when it is given up."""

from __future__ import annotations

import pytest

from relaykit.model import Fault, Whose
from relaykit.relay.delivering.pause import Pause
from relaykit.relay.restarts import Restarts
from relaykit.testing.clock import VirtualClock

QUOTA = Fault(whose=Whose.AGENT, code="quota", message="no quota")


def refusal(code: str) -> Fault:
    return Fault(whose=Whose.MESSAGE, code=code, message="bad input")


def test_each_rest_is_twice_as_long_and_none_is_longer_than_five_minutes() -> None:
    pause = Pause(VirtualClock())
    assert [pause.begin(QUOTA) for _ in range(8)] == [5, 10, 20, 40, 80, 160, 300, 300]


def test_the_provider_may_say_how_long() -> None:
    pause = Pause(VirtualClock())
    assert pause.begin(Fault(whose=Whose.AGENT, code="rate", message="slow down", retry_after=1.5)) == 1.5


def test_what_goes_well_makes_the_next_rest_short_again() -> None:
    pause = Pause(VirtualClock())
    pause.begin(QUOTA)
    pause.end()
    assert pause.remaining == 0
    assert pause.begin(QUOTA) == 5


def test_a_second_message_refused_with_the_same_code_is_not_the_messages_fault() -> None:
    pause = Pause(VirtualClock())
    assert pause.spares(refusal("bad"), [1, 2]) == set()
    assert pause.spares(refusal("bad"), [3, 4]) == {3, 4}
    assert pause.spares(refusal("other"), [5]) == set()


def test_one_that_is_refused_again_with_the_same_code_after_the_rest_is_spared_no_second_time() -> None:
    pause = Pause(VirtualClock())
    pause.spares(refusal("bad"), [1])
    assert pause.spares(refusal("bad"), [2]) == {2}
    assert pause.spares(refusal("bad"), [2, 3]) == {3}
    assert pause.spares(refusal("bad"), [3]) == set()
    assert pause.spares(refusal("bad"), [4]) == {4}


def test_something_good_between_two_refusals_makes_them_two_messages_faults() -> None:
    pause = Pause(VirtualClock())
    pause.spares(refusal("bad"), [1])
    pause.end()
    assert pause.spares(refusal("bad"), [2]) == set()


def test_the_delay_grows_with_the_exits_in_the_window() -> None:
    restarts = Restarts(VirtualClock())
    assert [restarts.exited(lived=100) for _ in range(4)] == [0.5, 1.0, 1.5, 2.0]


@pytest.mark.parity("AR-10")
def test_a_fourth_rapid_exit_in_the_window_gives_the_agent_up() -> None:
    restarts = Restarts(VirtualClock())
    assert [restarts.exited(lived=1) for _ in range(4)] == [0.5, 1.0, 1.5, None]


@pytest.mark.anyio
async def test_exits_outside_the_window_are_forgotten() -> None:
    clock = VirtualClock()
    restarts = Restarts(clock)
    for _ in range(3):
        restarts.exited(lived=1)
    await clock.advance(121)
    assert restarts.exited(lived=1) == 0.5


def test_a_restart_on_purpose_forgets_the_exits() -> None:
    restarts = Restarts(VirtualClock())
    for _ in range(3):
        restarts.exited(lived=1)
    restarts.forget()
    assert restarts.exited(lived=1) == 0.5


@pytest.mark.anyio
async def test_the_time_of_the_next_try_stays_the_same_for_a_whole_rest():
    clock = VirtualClock()
    pause = Pause(clock)
    begun = clock.now()
    pause.begin(QUOTA)
    await clock.advance(1.1)
    assert pause.next_try == begun + 5
