"""Files of the dock: under their digests, for those alone whose messages name them."""

from __future__ import annotations

from hashlib import sha256

import pytest

from relaykit.model import ATTACHMENT_BYTES

pytestmark = [pytest.mark.anyio, pytest.mark.parity("AR-13", "CR-11")]
CONTENT = b'{"success": false}\0'
DIGEST = sha256(CONTENT).hexdigest()


def about(**changes):
    return {"filename": "log.txt", "contentType": "text/plain", "sha256": DIGEST, **changes}


async def test_a_file_goes_to_whoever_gets_the_message_that_names_it_and_to_nobody_else(docks):
    async with docks.open("alice", "bob", "eve") as (alice, bob, eve):
        put = await alice.ask("PUT", f"/attachments/{DIGEST}", CONTENT)
        assert (put.status, put.data["attachment"]) == (201, {"sha256": DIGEST, "size": len(CONTENT)})
        sent = await alice.send("bob", "look", body={"attachments": [about(size=5)]})
        (seen,) = await bob.peek()
        url = f"/messages/{sent['id']}/attachments/{DIGEST}"
        assert seen["attachments"] == sent["attachments"] == [about(size=len(CONTENT), url=url)]
        got = await bob.ask("GET", url)
        assert (got.status, got.body) == (200, CONTENT)
        assert (got.headers["content-type"], got.headers["content-disposition"]) == (
            "application/octet-stream",
            "attachment",
        )
        assert (await alice.ask("GET", url)).body == CONTENT
        assert (await eve.ask("GET", url)).status == 404
        assert (await eve.ask("GET", url, Authorization=None)).status == 401
        assert (await bob.ask("GET", url.replace(DIGEST, "0" * 64))).status == 404


async def test_whoever_knows_a_digest_alone_gets_nothing_by_it(docks):
    async with docks.open("alice", "eve") as (alice, eve):
        await alice.ask("PUT", f"/attachments/{DIGEST}", CONTENT)
        body = {"toAgentId": "eve", "content": "mine", "attachments": [about()]}
        assert (await eve.ask("POST", "/messages", body)).code == "E_NOT_FOUND_RESOURCE"
        assert await eve.peek() == []


async def test_what_is_not_what_its_digest_says_or_is_too_large_is_not_kept(docks):
    async with docks.open("alice") as (alice,):
        assert (await alice.ask("PUT", f"/attachments/{'0' * 64}", CONTENT)).code == "E_VALIDATION_CONSTRAINT"
        said = f"PUT /attachments/{DIGEST} HTTP/1.1\r\nHost: HOST\r\nAuthorization: Bearer {alice.key}\r\n"
        assert (await alice.raw(f"{said}Content-Length: {ATTACHMENT_BYTES + 1}\r\n\r\n".encode())).status == 413
        large = bytes(5 * 2**20)  # more than any other request may have
        assert (await alice.ask("PUT", f"/attachments/{sha256(large).hexdigest()}", large)).status == 201
        other = said.replace(f"PUT /attachments/{DIGEST}", "POST /messages/ack")
        assert (await alice.raw(f"{other}Content-Length: {len(large)}\r\n\r\n".encode())).status == 413


@pytest.mark.parametrize(
    "attachments",
    ["log.txt", [5], [{}], [about(filename="../log.txt")], [about(contentType="x")], [about()] * 17],
)
async def test_files_that_are_badly_said_are_refused_with_their_message(docks, attachments):
    async with docks.open("alice", "bob") as (alice, bob):
        await alice.ask("PUT", f"/attachments/{DIGEST}", CONTENT)
        body = {"toAgentId": "bob", "content": "look", "attachments": attachments}
        answer = await alice.ask("POST", "/messages", body)
        assert (answer.status, answer.code[:12]) == (400, "E_VALIDATION")
        assert await bob.peek() == []
