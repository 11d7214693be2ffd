"""The file about a running relay: what it says, and that no dead relay's is believed."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from relaykit.relay.runfile import run_file, running

pytestmark = pytest.mark.parity("AR-17")


def hold(home: Path, *, incarnation: str = "incarnation-1"):
    return run_file(home, incarnation=incarnation, agents=["a", "b"], transports=["dock"], boot="boot", now=5.0)


def test_it_says_who_runs_what_and_where_it_listens(tmp_path: Path) -> None:
    with hold(tmp_path) as file:
        file.note_url("http://127.0.0.1:1")
        (info,) = running(tmp_path, "boot")
        assert (info.pid, info.incarnation, info.agents) == (os.getpid(), "incarnation-1", ("a", "b"))
        assert info.transports == ("dock",)
        assert (info.url, info.started_at) == ("http://127.0.0.1:1", 5.0)
        (path,) = (tmp_path / "relays").iterdir()
        assert path.stat().st_mode & 0o777 == 0o600
        assert path.parent.stat().st_mode & 0o777 == 0o700
    assert list(path.parent.iterdir()) == []


def test_a_dead_relays_file_is_not_believed_and_removed_by_the_next(tmp_path: Path) -> None:
    script = (
        "import os, sys; from pathlib import Path; from relaykit.relay.runfile import run_file\n"
        "with run_file(Path(sys.argv[1]), incarnation='dead', agents=[], boot='boot', now=1.0): os._exit(9)"
    )
    done = subprocess.run([sys.executable, "-c", script, tmp_path], timeout=30, check=False)
    assert done.returncode == 9
    (left,) = (tmp_path / "relays").iterdir()
    assert running(tmp_path, "boot") == []
    with hold(tmp_path):
        assert not left.exists()
        assert [info.incarnation for info in running(tmp_path, "boot")] == ["incarnation-1"]


@pytest.mark.parametrize("change", [{"start": 1}, {"boot": "another"}, {"pid": 2**22 + 1}, {"agents": None}])
def test_another_process_of_that_number_is_not_taken_for_it(tmp_path: Path, change: dict[str, object]) -> None:
    with hold(tmp_path):
        (path,) = (tmp_path / "relays").iterdir()
        path.write_text(json.dumps(json.loads(path.read_text()) | change))
        assert running(tmp_path, "boot") == []
        path.write_text("half")
        assert running(tmp_path, "boot") == []


def test_two_relays_of_one_process_have_a_file_each(tmp_path: Path) -> None:
    with hold(tmp_path), hold(tmp_path, incarnation="other"):
        assert sorted(info.incarnation for info in running(tmp_path, "boot")) == ["incarnation-1", "other"]


def test_a_file_of_a_relay_that_knew_fewer_fields_is_read_and_kept(tmp_path: Path) -> None:
    with hold(tmp_path):
        (path,) = (tmp_path / "relays").iterdir()
        said = json.loads(path.read_bytes())
        del said["transports"]
        path.write_text(json.dumps(said), encoding="utf-8")
        (info,) = running(tmp_path, "boot")
        assert (info.incarnation, info.transports) == ("incarnation-1", ())
