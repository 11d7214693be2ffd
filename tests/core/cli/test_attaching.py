"""Files that go with messages, by the real program."""

from __future__ import annotations

from hashlib import sha256
from pathlib import Path

import pytest

pytestmark = pytest.mark.parity("AR-13")
CONFIGURATION = """
[agents.reviewer]
provider = "exec"
options = { command = ["cat"] }
"""


def test_a_file_goes_with_a_message_and_the_agent_gets_its_path(program):
    program.cwd.joinpath("build.log").write_bytes(b"it failed\0")
    program.cwd.joinpath("relaykit.toml").write_text(CONFIGURATION)
    with program.relay():
        answer = program("send", "reviewer", "Why?", "--attach", "build.log", "--wait", "30").out
    text, _, told = answer.rstrip().rpartition("\n\n[Attached: build.log (")
    assert text.endswith("Why?")
    path = Path(told.removesuffix("]").rpartition("bytes): ")[2])
    assert path.read_bytes() == b"it failed\0"
    assert [one.stat().st_mode & 0o777 for one in (path, path.parent, path.parents[1])] == [0o600, 0o700, 0o700]


def test_a_file_that_is_no_longer_kept_is_said_and_the_message_is_delivered(program):
    program.cwd.joinpath("a.txt").write_text("hello")
    program.cwd.joinpath("relaykit.toml").write_text(CONFIGURATION)
    with program.relay():
        pass  # the agent is in the directory
    sent = program.send("reviewer", "Look.", "--attach", "a.txt")
    for path in program.home.glob("attachments/*/*"):
        path.unlink()
    with program.relay():
        program.ended(sent)
    [reply] = program("trace", sent, "--json").json["replies"]
    assert "[Attached, and cannot be had: a.txt (text/plain, 5 bytes): the attached file" in reply["body"]


@pytest.mark.parametrize(
    ("words", "code", "why"),
    [
        (["--attach", "none.txt"], 2, "there is no such file"),
        (["--attach", "."], 2, "this is a directory; name a file"),
        (["--attach", "large"], 4, "16777216 may be"),
        (["--attach", "a"] * 17, 4, "one message takes 16"),
    ],
)
def test_what_cannot_be_attached_is_one_clear_error_and_nothing_is_sent(program, words, code, why):
    program.cwd.joinpath("a").write_text("a")
    with program.cwd.joinpath("large").open("wb") as file:
        file.truncate(2**24 + 1)
    ended = program("send", "user", "Look.", "--from", "someone", *words)
    assert ended.code == code
    assert why in ended.err
    assert len(ended.err.splitlines()) == 1
    assert program("inbox", "--json").json["items"] == []


def test_trace_and_inbox_name_the_files(program):
    program.cwd.joinpath("a.txt").write_text("hello")
    sent = program.send("user", "Look.", "--attach", "a.txt", "--from", "someone")
    digest = sha256(b"hello").hexdigest()
    expected = [{"name": "a.txt", "media_type": "text/plain", "size": 5, "sha256": digest}]
    assert program("trace", sent, "--json").json["attachments"] == expected
    line = f"attached: a.txt (text/plain, 5 bytes, sha256 {digest})"
    assert line in program("trace", sent).out
    assert line in program("inbox").out
