"""Search, digests, and the registries."""

from __future__ import annotations

import pytest

pytestmark = [pytest.mark.anyio, pytest.mark.parity("CR-11")]


async def test_a_search_finds_what_the_caller_sent_or_got_and_nothing_else(docks):
    async with docks.open("alice", "bob", "carol") as (alice, bob, carol):
        first = await alice.send("bob", "the Rhubarb is ripe")
        await carol.send("alice", "of rhubarb nothing")
        last = await bob.send("alice", "RHUBARB, is it?")
        found = (await bob.ask("GET", "/messages/search?q=is%20rhubarb")).data
        assert [one["id"] for one in found["messages"]] == [last["id"], first["id"]]
        assert (await bob.ask("GET", "/messages/search?q=rhubarb&limit=1")).data["total"] == 2
        for words in ("nothing", "%20"):
            assert (await bob.ask("GET", f"/messages/search?q={words}")).data == {"messages": [], "total": 0}
        for path in ("/messages/search", "/messages/search?q=", f"/messages/search?q={'x' * 201}"):
            assert (await bob.ask("GET", path)).code == "E_VALIDATION_CONSTRAINT"


async def test_a_digest_tells_who_said_how_much_and_ends_with_the_last_words(docks):
    async with docks.open("alice", "bob", "carol") as (alice, bob, carol):
        for number in range(11):
            sent = await alice.send("bob", f"{number} {'x' * 300}")
        await bob.send("alice", "enough")
        await alice.ask("POST", f"/messages/{sent['id']}/pin")
        path = f"/conversations/{sent['conversationId']}/digest"
        found = (await bob.ask("GET", path)).data
        assert [(one["agentId"], one["messageCount"]) for one in found["participants"]] == [("alice", 11), ("bob", 1)]
        assert (found["messageCount"], found["pinned"], len(found["recent"])) == (12, [sent["id"]], 10)
        assert found["firstMessageAt"] <= found["lastMessageAt"] == found["participants"][1]["lastMessageAt"]
        assert {len(one["content"]) for one in found["recent"]} == {200, 6}
        assert (await carol.ask("GET", path)).status == 404


async def test_the_registries_tell_what_agents_say_of_themselves_to_whoever_may_know_of_them(docks):
    async with docks.open("alice") as (alice,):
        await docks.register("bob", capabilities=["python", "review"], skills=["haiku"])
        await docks.register("eve", capabilities=["secret"], privacyTier="private")
        answers = {path: (await alice.ask("GET", path)).data for path in ("/capabilities", "/skills")}
        assert answers["/capabilities"] == {"items": ["python", "review"], "total": 2}
        assert answers["/skills"] == {"items": ["haiku"], "total": 1}
        assert "code_dev" in (await alice.ask("GET", "/classifications")).data["items"]
        assert (await alice.ask("GET", "/privacy-tiers")).data["items"] == ["discoverable", "private", "public"]
