from __future__ import annotations

from pathlib import Path

import pytest

pytestmark = pytest.mark.faults


def test_a_run_of_the_whole_folder_kills_at_least_two_hundred_times(request, kills):
    there = {path.name for path in Path(__file__).parent.glob("test_*.py")}
    collected = {item.path.name for item in request.session.items if item.path.parent == Path(__file__).parent}
    if there - collected or request.config.option.keyword:
        pytest.skip("only a run of the whole folder counts its kills")
    assert kills["relay"] >= 140
    assert kills["codex"] >= 30
    assert kills["claude"] >= 15
    assert kills.total() >= 200
