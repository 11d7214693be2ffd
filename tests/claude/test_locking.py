"""One process for each conversation, also where a lock is taken while its last holder lets go of it."""

from __future__ import annotations

import fcntl
import tempfile
from pathlib import Path

import pytest

from relaykit.errors import ProviderError
from relaykit_claude.locking import session_lock


@pytest.fixture(autouse=True)
def place(tmp_path, monkeypatch):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    return tmp_path


def test_a_second_holder_is_refused_and_a_later_one_is_not(place):
    with session_lock("s"), pytest.raises(ProviderError, match="another relay"), session_lock("s"):
        pass
    with session_lock("s"):
        pass
    assert not [*place.glob("*/*.lock")]


def test_a_failure_inside_lets_go_and_leaves_no_file(place):
    with pytest.raises(ZeroDivisionError), session_lock("s"):
        raise ZeroDivisionError
    assert not [*place.glob("*/*.lock")]


def test_a_lock_on_a_file_that_was_removed_meanwhile_counts_for_nothing(place, monkeypatch):
    flock, removed = fcntl.flock, []

    def late(lock, how):
        """Lock only after the holder before has removed the file that was opened."""
        if not removed:
            (path,) = place.glob("*/*.lock")
            removed.append(path.unlink())
        flock(lock, how)

    monkeypatch.setattr(fcntl, "flock", late)
    with session_lock("s"):
        (path,) = Path(place).glob("*/*.lock")
        with path.open() as file, pytest.raises(BlockingIOError):
            flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
