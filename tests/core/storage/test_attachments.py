"""Files under their digests: whole or not at all, for their owner alone, bounded."""

from __future__ import annotations

import os
import time
from hashlib import sha256

import pytest

from relaykit.errors import NotFoundError, RefusedError
from relaykit.model import ATTACHMENT_BYTES, Attachment
from relaykit.storage.attachments import CACHE, STORE, AttachmentCache, AttachmentFiles

DAY = 86400


def digest(content):
    return sha256(content).hexdigest()


def stored(home):
    return list((home / STORE).glob("*/*"))


def age(path, days):
    then = time.time() - days * DAY
    os.utime(path, (then, then))


@pytest.mark.parity("AR-13")
def test_a_content_is_found_by_its_digest_and_is_for_its_owner_alone(tmp_path):
    files = AttachmentFiles(tmp_path / "home")
    assert files.keep(b"one") == files.keep(b"one") == digest(b"one")
    assert files.read(digest(b"one")) == b"one"
    [path] = stored(tmp_path / "home")
    modes = [one.stat().st_mode & 0o777 for one in (path, path.parent, path.parent.parent, tmp_path / "home")]
    assert modes == [0o600, 0o700, 0o700, 0o700]


@pytest.mark.parametrize("name", ["", "../../etc/passwd", "A" * 64, "0" * 63, "0" * 64])
def test_what_is_no_digest_or_is_not_there_is_not_found(tmp_path, name):
    with pytest.raises(NotFoundError):
        AttachmentFiles(tmp_path).read(name)


def test_a_content_that_was_changed_on_the_disk_is_not_given_out_and_is_mended_by_the_next_one(tmp_path):
    files = AttachmentFiles(tmp_path)
    files.keep(b"one")
    stored(tmp_path)[0].write_bytes(b"two")
    with pytest.raises(NotFoundError, match="was changed"):
        files.read(digest(b"one"))
    files.keep(b"one")
    assert files.read(digest(b"one")) == b"one"


def test_too_much_is_refused_and_what_was_kept_long_ago_makes_room(tmp_path):
    with pytest.raises(RefusedError, match=f"{ATTACHMENT_BYTES} may be"):
        AttachmentFiles(tmp_path).keep(b"\0" * (ATTACHMENT_BYTES + 1))
    files = AttachmentFiles(tmp_path, most=5)
    files.keep(b"old")
    with pytest.raises(RefusedError, match="5 may be"):
        files.keep(b"new")
    assert files.keep(b"old") == digest(b"old")  # is there, and takes no more room
    age(stored(tmp_path)[0], 91)
    files.keep(b"new")
    assert [path.name for path in stored(tmp_path)] == [digest(b"new")]


def test_what_a_killed_process_left_unfinished_goes(tmp_path):
    files = AttachmentFiles(tmp_path)
    files.keep(b"one")
    left = stored(tmp_path)[0].parent / ".unfinished-0"
    left.write_bytes(b"half")
    files.keep(b"two")
    assert left.exists()  # it may be at work
    age(left, 1)
    files.keep(b"three")
    assert not left.exists()


def test_the_cache_gives_up_what_was_used_least_lately_and_what_is_old(tmp_path):
    cache, other = (AttachmentCache(tmp_path, agent, most=6) for agent in ("main", "other"))
    paths = [one.add(digest(content), "a.txt", content) for one, content in ((cache, b"one"), (other, b"two"))]
    assert paths[0] == tmp_path / CACHE / "main" / digest(b"one") / "a.txt"
    assert other.find(digest(b"one"), "a.txt") is None
    age(paths[0], 2)
    age(paths[1], 1)
    assert cache.find(digest(b"one"), "a.txt") == paths[0]  # which counts as a use
    third = cache.add(digest(b"six"), "b", b"six")
    assert [path.exists() for path in (*paths, third)] == [True, False, True]
    assert not paths[1].parent.exists()
    of_nobody = tmp_path / CACHE / digest(b"old") / "of nobody"
    of_nobody.parent.mkdir()
    of_nobody.write_bytes(b"old")
    for path in (third, of_nobody):
        age(path, 31)
    cache.add(digest(b"x"), "x", b"x")
    assert [third.exists(), of_nobody.exists()] == [False, False]


def test_the_cache_finds_no_file_that_someone_has_changed(tmp_path):
    cache = AttachmentCache(tmp_path, "main")
    cache.add(digest(b"one"), "a", b"one").write_bytes(b"two")
    assert cache.find(digest(b"one"), "a") is None
    assert cache.add(digest(b"one"), "a", b"one").read_bytes() == b"one"


@pytest.mark.parametrize("name", ["", ".", "..", "a/b", "a\\b", "a\nb", "a\0", "é" * 101, "\ud800" * 101, "a\u202eb"])
def test_a_name_that_is_not_one_part_of_a_path_is_a_flaw(name):
    about = {"media_type": "text/plain", "size": 1, "sha256": "0" * 64}
    assert Attachment(name="a b.txt", **about).flaw is None
    assert "its name" in Attachment(name=name, **about).flaw


@pytest.mark.parametrize(
    "about", [{"sha256": "0" * 63}, {"sha256": "A" * 64}, {"media_type": "x\ny/z"}, {"size": -1}, {"size": 2**24 + 1}]
)
def test_what_does_not_fit_is_a_flaw(about):
    good = {"name": "a", "media_type": "text/plain", "size": 1, "sha256": "0" * 64}
    assert Attachment(**(good | about)).flaw
