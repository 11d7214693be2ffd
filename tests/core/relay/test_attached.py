"""Files that messages name: what an agent is told where they can be had, and where not."""

from __future__ import annotations

from hashlib import sha256
from pathlib import Path

import anyio
import pytest

from relaykit.errors import TransportError
from relaykit.model import Attachment, Draft, Message
from relaykit.relay.delivering import attached
from relaykit.relay.delivering.attached import AttachedFiles
from relaykit.storage.attachments import AttachmentFiles
from relaykit.testing.contexts import message_of

pytestmark = [pytest.mark.anyio, pytest.mark.parity("AR-13")]
CONTENT = b"what is in it"


def attachment(**changes):
    about = {"name": "log.txt", "media_type": "text/plain", "size": len(CONTENT), "source": "/files/1"}
    return Attachment(**{**about, "sha256": sha256(CONTENT).hexdigest(), **changes})


def message(*attachments, account="dock/bob") -> Message:
    return message_of(Draft(sender="alice@dock", to="bob", body="Look.", account=account, attachments=attachments))


class Outside:
    """A transport beyond which there is one file."""

    def __init__(self, *pieces, fails=None, hangs=False):
        self.pieces, self.fails, self.hangs = pieces, fails, hangs
        self.asked = []
        self.closed = False

    async def fetch(self, attachment):
        self.asked.append(attachment.source)
        try:
            for piece in self.pieces:
                yield piece
            if self.fails:
                raise self.fails
            if self.hangs:
                await anyio.sleep_forever()
        finally:
            self.closed = True


def path_in(told):
    return Path(told.removesuffix("]").rpartition("bytes): ")[2])


async def test_what_a_transport_fetches_is_checked_written_down_once_and_told(tmp_path):
    outside = Outside(CONTENT[:4], CONTENT[4:])
    files = AttachedFiles(tmp_path, {"dock": outside}, "a")
    told = await files.told([message(attachment())])
    assert told.startswith(f"\n\n[Attached: log.txt (text/plain, {len(CONTENT)} bytes): {tmp_path}/")
    assert path_in(told).read_bytes() == CONTENT
    assert path_in(told).name == "log.txt"
    assert await files.told([message(attachment())]) == told
    assert outside.asked == ["/files/1"]


async def test_nothing_is_said_where_nothing_is_named(tmp_path):
    assert await AttachedFiles(tmp_path, {}, "a").told([message()]) == ""


async def test_what_is_attached_on_this_machine_comes_from_its_store(tmp_path):
    digest = AttachmentFiles(tmp_path).keep(CONTENT)
    told = await AttachedFiles(tmp_path, {}, "a").told([message(attachment(source=None, sha256=digest), account=None)])
    assert path_in(told).read_bytes() == CONTENT


@pytest.mark.parametrize(
    ("outside", "why"),
    [
        (Outside(CONTENT[::-1]), "what came is not what its digest says"),
        (Outside(CONTENT[:-1]), "what came is not what its digest says"),
        (Outside(CONTENT, b"!", hangs=True), "it is larger than it was said to be"),
        (Outside(fails=TransportError("the server answered 404:\ngone")), "the server answered 404: gone"),
        (Outside(CONTENT, fails=TransportError("the connection broke")), "the connection broke"),
        (Outside(CONTENT, fails=ValueError("bad chunk")), "fetching it failed: ValueError('bad chunk')"),
        (
            Outside(fails=ExceptionGroup("two", [ValueError()])),
            "fetching it failed: ExceptionGroup('two', [ValueError()])",
        ),
        (Outside("no bytes"), 'fetching it failed: TypeError("can\'t concat str to bytearray")'),
        (object(), "the transport that brought the message fetches no files"),
    ],
)
async def test_what_cannot_be_had_is_said_with_its_reason_and_leaves_no_file(tmp_path, outside, why):
    told = await AttachedFiles(tmp_path, {"dock": outside}, "a").told([message(attachment())])
    assert told == f"\n\n[Attached, and cannot be had: log.txt (text/plain, {len(CONTENT)} bytes): {why}]"
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == []
    assert getattr(outside, "closed", True)


async def test_a_slow_server_holds_an_agent_up_no_longer_than_that(tmp_path, monkeypatch):
    monkeypatch.setattr(attached, "FETCH_SECONDS", 0.05)
    outside = Outside(CONTENT[:4], hangs=True)
    with anyio.fail_after(10):
        told = await AttachedFiles(tmp_path, {"dock": outside}, "a").told([message(attachment(), attachment(name="b"))])
    assert told.count("cannot be had") == 2
    assert "not there within" in told
    assert outside.closed


async def test_one_with_a_flaw_is_not_even_asked_for(tmp_path):
    outside = Outside(CONTENT)
    told = await AttachedFiles(tmp_path, {"dock": outside}, "a").told([message(attachment(name="../log.txt"))])
    assert "its name has to be one printable part of a path" in told
    assert outside.asked == []
