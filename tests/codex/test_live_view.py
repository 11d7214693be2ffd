"""A person answers the real codex by a key, in the terminal in which the relay runs."""

from __future__ import annotations

import sys

import pytest

from relaykit.testing.terminal import terminal

pytestmark = [pytest.mark.live, pytest.mark.parity("AR-9")]


@pytest.mark.parametrize(("key", "made"), [("a", True), ("d", False)])
def test_a_request_is_answered_by_a_key(house, key, made):
    outside = house.codex_home / "outside.txt"
    house.configure(main={})
    env = {**house.program.environment({}), "TERM": "xterm-256color"}
    with terminal([sys.executable, "-m", "relaykit", "run"], env=env, cwd=house.program.cwd) as shown:
        shown.shows("main", "idle")
        sent = house.send("main", f"esc:touch {outside};;say:done")
        shown.shows("touch", "a approve")
        shown.type(key)
        assert house.ended(sent)["state"] == "answered"
        shown.until(lambda text: "a approve" not in text)
        assert outside.exists() is made
        shown.type("\x03")
        assert shown.ended() == 130
