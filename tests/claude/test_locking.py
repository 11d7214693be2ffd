"""One process for each conversation, also where a lock is taken while its last holder lets go of it."""

from __future__ import annotations

import fcntl
import tempfile

import pytest

from relaykit.errors import ProviderError
from relaykit_claude.locking import session_lock, session_locks


@pytest.fixture
def place(tmp_path):
    return tmp_path / "config"


def test_a_second_holder_is_refused_and_a_later_one_is_not(place):
    with session_lock("s", place), pytest.raises(ProviderError, match="another relay"), session_lock("s", place):
        pass
    with session_lock("s", place):
        pass
    assert not [*place.glob("*/*.lock")]


def test_who_has_another_temporary_directory_is_refused_too(place, tmp_path, monkeypatch):
    with session_lock("s", place):
        monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
        with pytest.raises(ProviderError, match="another relay"), session_lock("s", place):
            pass
    with session_lock("s", place), session_lock("s", tmp_path / "another's"):
        pass


def test_where_nothing_can_be_written_beside_the_transcripts_the_lock_is_among_what_is_temporary(tmp_path, monkeypatch):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    (no_directory := tmp_path / "file").touch()
    with session_lock("s", no_directory / "config"):
        assert len([*tmp_path.glob("relaykit-claude-*/s.lock")]) == 1
        with pytest.raises(ProviderError, match="another relay"), session_lock("s", no_directory / "config"):
            pass


def test_all_that_one_process_has_carried_is_held_until_it_is_left(place):
    with session_locks("s", place) as locks:
        for name in ("after clear", "s"):
            locks.hold(name)
        for name in ("s", "after clear"):
            with pytest.raises(ProviderError, match="another relay"), session_lock(name, place):
                pass
    assert not [*place.glob("*/*.lock")]


def test_a_failure_inside_lets_go_and_leaves_no_file(place):
    with pytest.raises(ZeroDivisionError), session_lock("s", place):
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
    with session_lock("s", place):
        (path,) = place.glob("*/*.lock")
        with path.open() as file, pytest.raises(BlockingIOError):
            flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
