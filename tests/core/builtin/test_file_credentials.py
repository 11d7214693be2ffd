"""The credential store ``file``."""

from __future__ import annotations

import base64
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from relaykit.builtin.credential_file import FILE, CredentialFile
from relaykit.errors import CredentialError
from relaykit.model import Credential, Secret
from relaykit.testing import CredentialStoreSuite

SECONDS = 60
SECRETS = (b"sk_live_first", b"sesame-open")


def credential(secret: str, **more: object) -> Credential:
    return Credential(secret=Secret(secret), **more)


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    path = tmp_path / "credentials"
    path.mkdir(mode=0o700)
    return path


@pytest.fixture
def file(directory: Path) -> CredentialFile:
    file = CredentialFile(directory)
    file.change("dock", lambda _: credential("sk_live_first", kind="signaldock", fields={"agentId": "bob"}))
    file.change("openai", lambda _: credential("sesame-open"))
    return file


@pytest.mark.parity("CR-9")
class TestFileCredentials(CredentialStoreSuite):
    plugin = "relaykit.builtin.hooks"
    component = "file"

    @pytest.fixture
    def stored(self, context):
        file = CredentialFile(context.home)
        for name, value in self.made_up.items():
            file.change(name, lambda _, value=value: credential(value))
        return self.made_up


@pytest.mark.parity("CR-9")
def test_no_secret_can_be_read_in_any_file_and_all_are_their_owners_alone(file, directory):
    for path in directory.rglob("*"):
        assert path.stat().st_mode & 0o077 == 0, path
        assert not [secret for secret in SECRETS if secret in path.read_bytes()]
        assert b"bob" not in path.read_bytes()
    [key] = directory.glob("machine-*.key")
    assert (key.stat().st_mode & 0o777, len(key.read_bytes())) == (0o600, 32)


@pytest.mark.parity("CR-9")
@pytest.mark.parametrize("name", [FILE, "machine-1.key"])
@pytest.mark.parametrize("mode", [0o640, 0o604, 0o666])
def test_a_file_that_others_may_open_is_refused_with_the_remedy(file, directory, name, mode):
    (directory / name).chmod(mode)
    with pytest.raises(CredentialError, match=rf"chmod 600 .*{name}"):
        file.get("dock")
    with pytest.raises(CredentialError, match="chmod 600"):
        file.change("dock", lambda current: current and current.rotating("r"))
    (directory / name).chmod(0o600)
    assert file.get("dock").rotation is None


def test_a_directory_that_others_may_look_into_is_refused(file, directory):
    directory.chmod(0o750)
    with pytest.raises(CredentialError, match="chmod 700"):
        file.names()


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a file away")
@pytest.mark.parametrize("name", [FILE, "machine-1.key", "."])
def test_what_belongs_to_someone_else_is_refused(file, directory, name):
    os.chown(directory / name, 12345, -1)
    with pytest.raises(CredentialError, match="belongs to user 12345"):
        file.get("dock")


@pytest.mark.parametrize("name", [FILE, "machine-1.key"])
def test_a_link_in_the_place_of_a_file_is_not_followed(file, directory, name):
    (directory / name).rename(directory / "elsewhere")
    (directory / name).symlink_to(directory / "elsewhere")
    with pytest.raises(CredentialError, match="a file of your own"):
        file.get("dock")


def edited(directory, edit):
    path = directory / FILE
    document = json.loads(path.read_text())
    edit(document["entries"])
    path.write_text(json.dumps(document))


@pytest.mark.parity("CR-9")
def test_entries_cannot_be_swapped_renamed_or_given_another_version(file, directory):
    def swap(entries):
        entries["dock"], entries["openai"] = entries["openai"], entries["dock"]

    def rename(entries):
        entries["spare"] = entries["dock"]

    def age(entries):
        entries["dock"]["version"] += 1

    def flip(entries):
        box = bytearray(base64.b64decode(entries["dock"]["box"]))
        box[20] ^= 1
        entries["dock"]["box"] = base64.b64encode(box).decode()

    good = (directory / FILE).read_bytes()
    for edit, name in ((swap, "dock"), (swap, "openai"), (rename, "spare"), (age, "dock"), (flip, "dock")):
        edited(directory, edit)
        with pytest.raises(CredentialError, match="was changed") as caught:
            file.get(name)
        assert "sk_live" not in str(caught.value)
        (directory / FILE).write_bytes(good)
    assert file.get("dock").secret == Secret("sk_live_first")


def test_a_box_of_an_earlier_time_is_not_taken_for_the_one_that_came_after_a_removal(file, directory):
    old = json.loads((directory / FILE).read_text())["entries"]["dock"]["box"]
    file.change("dock", lambda _: None)
    file.change("dock", lambda _: credential("sk_live_new"))
    edited(directory, lambda entries: entries["dock"].update(box=old))
    with pytest.raises(CredentialError, match="was changed"):
        file.get("dock")


@pytest.mark.parametrize(
    "text", [b"", b"{}", b"[]", b"null", b"\xff", b'{"format": 1, "key": 1, "versions": {}, "entries": {"a": 1}}']
)
def test_a_damaged_file_is_an_error_that_names_it_and_is_not_written_over(file, directory, text):
    (directory / FILE).write_bytes(text)
    for attempt in (file.names, lambda: file.change("new", lambda _: credential("x"))):
        with pytest.raises(CredentialError, match=r"credentials\.json: it is damaged"):
            attempt()
    assert (directory / FILE).read_bytes() == text


def test_a_file_of_a_newer_relaykit_is_left_alone(file, directory):
    (directory / FILE).write_text('{"format": 2}')
    with pytest.raises(CredentialError, match="newer relaykit"):
        file.names()


def test_a_missing_or_short_machine_key_is_said_and_no_new_one_is_made_in_its_place(file, directory):
    [key] = directory.glob("machine-*.key")
    good = key.read_bytes()
    key.unlink()
    with pytest.raises(CredentialError, match="machine key is missing"):
        file.get("dock")
    with pytest.raises(CredentialError, match="machine key is missing"):
        file.change("new", lambda _: credential("x"))
    assert not key.exists()
    key.write_bytes(good[:16])
    key.chmod(0o600)
    with pytest.raises(CredentialError, match="32 bytes"):
        file.get("dock")


def test_a_rotation_leaves_one_key_and_nothing_that_the_old_one_opens(file, directory):
    old = (directory / FILE).read_bytes()
    (directory / "machine-7.key.new").write_bytes(b"left by a crash")
    assert file.rotate() == 2
    assert [path.name for path in directory.glob("machine-*")] == ["machine-2.key"]
    assert file.get("dock").fields == {"agentId": "bob"}
    (directory / FILE).write_bytes(old)
    with pytest.raises(CredentialError, match="machine key is missing"):
        file.get("dock")


def test_without_the_library_there_is_one_line_with_what_to_install(file, monkeypatch):
    for name in [name for name in sys.modules if name.split(".")[0] == "cryptography"]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "cryptography", None)
    with pytest.raises(CredentialError, match=r'pip install "relaykit\[credentials\]"') as caught:
        file.get("dock")
    assert "\n" not in str(caught.value)


def test_a_disk_that_is_full_leaves_what_was_there(file, directory):
    (directory / f"{FILE}.new").mkdir()  # nothing can be written beside it
    with pytest.raises(CredentialError, match="cannot be written"):
        file.change("dock", lambda current: current and current.rotating("r"))
    assert file.get("dock").rotation is None


CHANGES = """
import os, signal, sys
from pathlib import Path
from relaykit.builtin.credential_file import CredentialFile
from relaykit.model import Credential, Secret
from cryptography.hazmat.primitives.ciphers.aead import AESGCM  # imports open files, which are no steps of ours
from cryptography.exceptions import InvalidTag
import fcntl

def counted(call):
    def called(*args, **kwargs):
        global left
        for step in (lambda: None, lambda: call(*args, **kwargs)):
            left -= 1
            if left == 0:
                os.kill(os.getpid(), signal.SIGKILL)
            result = step()
        return result
    return called

def halved(descriptor, data):  # so that a kill finds half a file, too
    return write(descriptor, data[: max(1, len(data) // 2)])

def prepare():
    for name in ("open", "fchmod", "fsync", "rename", "unlink", "close"):
        setattr(os, name, counted(getattr(os, name)))
    os.write = counted(halved)

def change(what, directory):
    file = CredentialFile(Path(directory))
    prepare()
    if what == "rotate":
        file.rotate()
    else:
        file.change("dock", lambda _: Credential(secret=Secret("new")) if what == "set" else None)
    os._exit(0)

write = os.write
for line in sys.stdin:
    left, what, directory = line.rstrip("\\n").split(" ", 2)
    left = int(left)
    child = os.fork()
    if not child:
        change(what, directory)
    print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), flush=True)
"""


@pytest.fixture(scope="module")
def run_until():
    """Run a change, in a process of its own, that is killed at a step; return whether it came to its end first.

    What it imports costs more than what it does, so those processes are forks of one that has done so.
    """
    with subprocess.Popen(
        [sys.executable, "-c", CHANGES], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:

        def run(step: int, what: str, directory: Path) -> bool:
            process.stdin.write(f"{step} {what} {directory}\n")
            process.stdin.flush()
            code = int(process.stdout.readline())
            assert code in (0, -9)
            return code == 0

        yield run
        process.stdin.close()
        assert process.wait(SECONDS) == 0


@pytest.mark.parity("CR-9")
@pytest.mark.faults
@pytest.mark.parametrize(("what", "after"), [("set", "new"), ("remove", None), ("rotate", "old"), ("first", "new")])
def test_a_process_that_is_killed_at_any_step_leaves_the_old_or_the_new(tmp_path, run_until, what, after):
    before = None if what == "first" else "old"
    seen, step, ended = set(), 0, False
    while not ended:
        step += 1
        directory = tmp_path / str(step)
        directory.mkdir(mode=0o700)
        file = CredentialFile(directory)
        if before:
            file.change("dock", lambda _: credential("old"))
            file.change("other", lambda _: credential("stays"))
        ended = run_until(step, "set" if what == "first" else what, directory)
        found = file.read()
        secret = found["dock"].secret.reveal() if "dock" in found else None
        seen.add(secret)
        assert secret in {before, after}
        assert ("other" in found) == (before is not None)
        # Whatever it left, the next one goes on from there.
        file.change("next", lambda _: credential("next"))
        assert file.rotate() == len(found) + 1
        assert len(list(directory.glob("machine-*"))) == 1
        assert not [path for path in directory.iterdir() if path.name == f"{FILE}.new"]
    assert seen == {before, after}
    assert step > 20


def test_processes_that_write_at_once_lose_nothing(file, directory):
    code = """
import sys
from msgspec.structs import replace
from pathlib import Path
from relaykit.builtin.credential_file import CredentialFile
file = CredentialFile(Path(sys.argv[1]))
for _ in range(10):
    file.change("dock", lambda current: replace(current, since=current.since + 1))
    if sys.argv[2] == "0":
        file.rotate()
    file.get("openai")
"""
    words = [sys.executable, "-c", code, str(directory)]
    processes = [subprocess.Popen([*words, str(number)]) for number in range(3)]
    assert [process.wait(SECONDS) for process in processes] == [0, 0, 0]
    assert file.get("dock").since == 30.0
