from __future__ import annotations

import signal
import sqlite3
import subprocess
import sys
from contextlib import ExitStack, closing
from pathlib import Path

import pytest

from relaykit.errors import StoreBusyError, StoreError, StoreVersionError
from relaykit.storage.connect import Schema, check, connect

FIRST = "CREATE TABLE note (id INTEGER PRIMARY KEY, text TEXT);\nCREATE INDEX by_text ON note (text);"
SECOND = """
ALTER TABLE note ADD COLUMN size INTEGER NOT NULL DEFAULT 0;
CREATE TRIGGER sized AFTER INSERT ON note BEGIN
    UPDATE note SET size = length(text) WHERE id = NEW.id;
END;
UPDATE note SET size = length(text);
"""
ONE = Schema("notes", (FIRST,))
TWO = Schema("notes", (FIRST, SECOND))
KILLED_MAKER = """
import os, signal, sqlite3, sys
from relaykit.storage import connect

left = int(sys.argv[3])

class Mortal(sqlite3.Connection):
    def execute(self, *args):
        global left
        if not left:
            os.kill(os.getpid(), signal.SIGKILL)
        left -= 1
        return super().execute(*args)

make = sqlite3.connect
sqlite3.connect = lambda *args, **options: make(*args, factory=Mortal, **options)
connect.connect(sys.argv[1], connect.Schema("notes", (sys.argv[2],)))
"""
BROKEN = Schema("notes", (FIRST, "CREATE TABLE other (id INTEGER);\nCREATE TABLE note (id INTEGER);"))


def filled(path: Path, rows: int = 1) -> Path:
    with closing(connect(path, ONE)) as connection:
        connection.executemany("INSERT INTO note (text) VALUES (?)", [("hello" * 50,)] * rows)
    return path


def pragma(connection: sqlite3.Connection, name: str) -> object:
    return connection.execute(f"PRAGMA {name}").fetchone()[0]


def test_a_new_file_is_the_owners_alone(tmp_path: Path) -> None:
    path = tmp_path / "home" / "notes.db"
    with closing(connect(path, ONE)) as connection:
        connection.execute("INSERT INTO note (text) VALUES ('x')")
        assert path.parent.stat().st_mode & 0o777 == 0o700
        assert {file.stat().st_mode & 0o777 for file in path.parent.iterdir()} == {0o600}
        assert len(list(path.parent.iterdir())) == 3


def test_a_new_file_gives_space_back_and_has_a_log(tmp_path: Path) -> None:
    with closing(connect(tmp_path / "notes.db", ONE)) as connection:
        found = {name: pragma(connection, name) for name in ("auto_vacuum", "journal_mode", "synchronous")}
    assert found == {"auto_vacuum": 2, "journal_mode": "wal", "synchronous": 1}


def test_a_file_whose_maker_was_killed_before_any_of_its_statements_is_gone_on_with(tmp_path: Path) -> None:
    killed = 0
    while _make_until(tmp_path / f"{killed}.db", killed) != 0:
        with closing(connect(tmp_path / f"{killed}.db", ONE)) as connection:
            found = {name: pragma(connection, name) for name in ("auto_vacuum", "journal_mode", "user_version")}
            assert found == {"auto_vacuum": 2, "journal_mode": "wal", "user_version": 1}, killed
            assert connection.execute("SELECT count(*) FROM note").fetchone() == (0,)
        killed += 1
        assert killed < 100, "the maker never comes to its end"
    assert killed > 5, "hardly anything was cut off"


def _make_until(path: Path, statements: int) -> int:
    """Have a process make a file, and be killed before it runs one statement more; return how it ended."""
    argv = [sys.executable, "-c", KILLED_MAKER, str(path), FIRST, str(statements)]
    ended = subprocess.run(argv, timeout=30, check=False).returncode
    assert ended in (0, -signal.SIGKILL)
    return ended


def test_an_older_file_is_migrated_forward_with_its_rows(tmp_path: Path) -> None:
    path = filled(tmp_path / "notes.db")
    with closing(connect(path, TWO)) as connection:
        connection.execute("INSERT INTO note (text) VALUES ('abc')")
        assert connection.execute("SELECT size FROM note ORDER BY id").fetchall() == [(250,), (3,)]
        assert pragma(connection, "user_version") == 2


def test_a_migration_that_fails_leaves_the_old_version(tmp_path: Path) -> None:
    path = filled(tmp_path / "notes.db")
    with pytest.raises(StoreError):
        connect(path, BROKEN)
    with closing(connect(path, ONE)) as connection:
        assert pragma(connection, "user_version") == 1
        assert connection.execute("SELECT count(*) FROM note").fetchone() == (1,)
        assert connection.execute("SELECT count(*) FROM sqlite_schema WHERE name = 'other'").fetchone() == (0,)


def test_a_file_of_a_newer_relaykit_is_refused_and_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "notes.db"
    connect(path, TWO).close()
    before = path.read_bytes()
    with pytest.raises(StoreVersionError, match=r"notes\.db.*version 2.*knows 1.*upgrade"):
        connect(path, ONE)
    assert path.read_bytes() == before


@pytest.mark.parametrize("content", [b"this is no database" * 100, b"SQLite format 3\0" + b"\xff" * 4096])
def test_what_is_no_database_is_refused_and_left_alone(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "notes.db"
    path.write_bytes(content)
    with pytest.raises(StoreError, match="left as it is"):
        connect(path, ONE)
    assert path.read_bytes() == content


def test_a_damaged_page_is_found_by_the_check_and_nothing_is_changed(tmp_path: Path) -> None:
    path = filled(tmp_path / "notes.db", rows=500)
    check(path)
    content = bytearray(path.read_bytes())
    content[3 * 4096 : 3 * 4096 + 64] = b"\xff" * 64
    path.write_bytes(content)
    with pytest.raises(StoreError, match=r"notes\.db.*damaged.*restore a backup"):
        check(path)
    assert path.read_bytes() == bytes(content)


def test_a_file_that_was_cut_short_is_refused(tmp_path: Path) -> None:
    path = filled(tmp_path / "notes.db", rows=500)
    path.write_bytes(path.read_bytes()[: 5 * 4096])
    with pytest.raises(StoreError, match="damaged"):
        check(path)


def test_a_file_that_is_not_there_passes_the_check(tmp_path: Path) -> None:
    check(tmp_path / "notes.db")
    assert list(tmp_path.iterdir()) == []


def test_a_directory_in_the_place_of_the_file_is_named(tmp_path: Path) -> None:
    (tmp_path / "notes.db").mkdir()
    with pytest.raises(StoreError, match=r"notes\.db.*cannot be opened"):
        connect(tmp_path / "notes.db", ONE)


OPEN_WHEN_TOLD = """
import sys
from pathlib import Path
from relaykit.storage.connect import Schema, connect
print("ready", flush=True)
sys.stdin.readline()
connection = connect(Path(sys.argv[1]), Schema("notes", (sys.argv[2],)))
connection.execute("INSERT INTO note (text) VALUES ('x')")
"""


def test_several_processes_may_make_the_file_at_once(tmp_path: Path) -> None:
    path = tmp_path / "notes.db"
    argv = [sys.executable, "-c", OPEN_WHEN_TOLD, str(path), FIRST]
    with ExitStack() as stack:
        makers = [
            stack.enter_context(subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE)) for _ in range(5)
        ]
        for maker in makers:
            assert maker.stdout is not None
            assert maker.stdout.readline() == b"ready\n"
        for maker in makers:
            assert maker.stdin is not None
            maker.stdin.write(b"go\n")
            maker.stdin.flush()
        assert [maker.wait(30) for maker in makers] == [0] * 5
    with closing(connect(path, ONE)) as connection:
        assert connection.execute("SELECT count(*) FROM note").fetchone() == (5,)


def test_to_open_a_file_again_frees_none_of_its_locks(tmp_path: Path) -> None:
    path = filled(tmp_path / "notes.db")
    with closing(connect(path, ONE)) as first:
        first.execute("SELECT * FROM note").fetchall()
        connect(path, ONE).close()
        script = f"import sqlite3; sqlite3.connect({str(path)!r}, timeout=0).execute('PRAGMA journal_mode = DELETE')"
        other = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=30, check=False)
        assert "database is locked" in other.stderr, "another process could take the log away"


def test_a_file_on_a_network_file_system_is_not_made(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    mounts = tmp_path / "mountinfo"
    mounts.write_text(f"1 0 8:1 / / rw - ext4 x rw\n2 1 0:9 / {tmp_path.resolve()} rw - nfs4 x rw\n")
    monkeypatch.setattr("relaykit.storage.network.MOUNTINFO", mounts)
    with pytest.raises(StoreError, match="nfs4"):
        connect(tmp_path / "home" / "notes.db", ONE)
    assert not (tmp_path / "home").exists()


def test_a_file_that_is_locked_while_it_is_to_be_migrated_is_busy(tmp_path: Path) -> None:
    path = filled(tmp_path / "notes.db")
    with closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(StoreBusyError, match="try again"):
            connect(path, TWO, busy_seconds=0.01)
    connect(path, TWO).close()
