"""Agents of the dock and their keys: who may come in, and as whom."""

from __future__ import annotations

import re

import anyio
import pytest

from relaykit.cli.lending import Lending
from relaykit.errors import ConfigError
from relaykit.model import ATTACHMENT_BYTES
from relaykit.plugin import Tls
from relaykit_signaldock.dock.dock import Settings
from relaykit_signaldock.dock.routes import WAYS, is_open
from relaykit_signaldock.dock.serving import Plan, running
from relaykit_signaldock.dock.sqlite_store import FILE

pytestmark = [pytest.mark.anyio, pytest.mark.parity("CR-11")]


async def test_an_agent_is_registered_with_a_key_that_is_shown_once_and_kept_as_a_hash(docks, home):
    async with docks.open() as _:
        body = {"agentId": "alice", "name": "Alice", "class": "research", "capabilities": ["python"], "skills": ["x"]}
        data = (await docks.operator().ask("POST", "/agents", body)).data
        agent, key, kit = data["agent"], data["apiKey"], data["connectionKit"]
        assert (agent["agentId"], agent["name"], agent["class"], agent["capabilities"]) == (
            "alice",
            "Alice",
            "research",
            ["python"],
        )
        assert (len(key), key[:8]) == (72, "sk_live_")
        assert (kit["apiBase"], kit["pollEndpoint"], kit["sseEndpoint"]) == (
            docks.url,
            "/messages/poll/new",
            "/messages/stream",
        )
        assert kit["configTemplate"]["apiKey"] == key
        again = await docks.operator().ask("POST", "/agents", body)
        assert (again.status, again.code) == (409, "E_CONFLICT_ALREADY_EXISTS")
    kept = b"".join(path.read_bytes() for path in home.rglob("*") if path.is_file())
    assert key.encode() not in kept
    assert (home / "commands" / "dock" / FILE).stat().st_mode & 0o777 == 0o600


async def test_registration_is_the_persons_unless_it_is_opened(docks):
    body = {"agentId": "eve", "class": "custom", "capabilities": []}
    async with docks.open("alice") as (alice,):
        refused = await alice.ask("POST", "/agents", body)
        assert (refused.status, refused.code) == (403, "E_AUTH_FORBIDDEN")
        refused = await alice.ask("POST", "/agents", body, Authorization=None)
        assert (refused.status, refused.code) == (401, "E_AUTH_UNAUTHORIZED")
    async with docks.open("bob", open_registration=True) as (bob,):
        assert (await bob.ask("POST", "/agents", body, Authorization=None)).status == 201


async def test_names_that_mean_someone_else_are_not_given(docks):
    async with docks.open() as _:
        for name in ("user", "a b", "tag:x", "", "x" * 65):
            answer = await docks.operator().ask("POST", "/agents", {"agentId": name, "capabilities": []})
            assert answer.status in (400, 409)


async def test_whoever_comes_without_a_good_key_is_told_of_the_docks_keys(docks):
    async with docks.open("alice") as (alice,):
        for given in (None, "Bearer sk_live_x"):
            said = (await alice.ask("GET", "/messages/peek", Authorization=given)).json["error"]["message"]
            assert "the key of an agent of this dock" in said
            assert "session" not in said


async def test_without_a_good_key_nothing_is_told(docks):
    async with docks.open("alice", "bob") as (alice, bob):
        for headers in (
            {"Authorization": None},
            {"Authorization": "Bearer sk_live_x"},
            {"Authorization": f"Bearer {bob.key}"},
        ):
            answer = await alice.ask("GET", "/messages/peek", **headers)
            assert (answer.status, answer.code) == (401, "E_AUTH_UNAUTHORIZED")
        assert (await alice.ask("GET", "/messages/peek", X_Agent_Id=None)).status == 200
        assert (await alice.ask("GET", "/messages/peek", Origin="http://evil.example")).status == 403
        assert (await alice.raw(b"GET /health HTTP/1.1\r\nHost: evil.example\r\n\r\n")).status == 421
        assert (await docks.operator().ask("GET", "/messages/peek")).code == "E_AUTH_FORBIDDEN"
        assert (await alice.ask("GET", "/health", Authorization=None)).data["status"] == "ok"


async def test_agents_are_found_by_what_they_can_and_seen_as_far_as_they_want(docks):
    async with docks.open("alice") as (alice,):
        for name, privacy in (("open", "public"), ("shy", "discoverable"), ("gone", "private")):
            await docks.register(name, privacyTier=privacy, capabilities=["python"], skills=[f"of-{name}"])

        async def found(query=""):
            return [one["agentId"] for one in (await alice.ask("GET", f"/agents{query}")).data["agents"]]

        assert await found() == ["alice", "open"]
        assert await found("?capability=python") == ["open", "shy"]
        assert await found("?skill=of-shy") == ["shy"]
        assert await found("?class=code_dev&limit=1&page=2") == ["open"]
        assert await found("?status=online") == []
        assert (await alice.ask("GET", "/agents/shy")).data["agent"]["skills"] == ["of-shy"]
        assert (await alice.ask("GET", "/agents/gone")).code == "E_NOT_FOUND_AGENT"
        assert "id" not in (await alice.ask("GET", "/agents/open/card")).data["card"]
        assert (await alice.ask("GET", "/agents?sort=colour")).code == "E_VALIDATION_CONSTRAINT"


async def test_presence_is_what_an_agent_says_and_the_directory_has_it(docks):
    async with docks.open("alice", "bob") as (alice, bob), Lending("test").mailbox() as mailbox:

        async def status():
            (entry,) = [one for one in await mailbox.agents() if one.agent.id == "alice"]
            return (await bob.ask("GET", "/agents/alice")).data["agent"]["status"], entry.status.kind.value

        assert await status() == ("offline", "offline")
        assert (await alice.ask("POST", "/agents/alice/heartbeat", {"status": "online"})).status == 200
        assert await status() == ("online", "idle")
        assert [one["agentId"] for one in (await bob.ask("GET", "/agents/online")).data["agents"]] == ["alice"]
        await alice.ask("PUT", "/agents/alice/status", {"status": "busy"})
        assert await status() == ("busy", "busy")
        await alice.ask("PUT", "/agents/alice/status", {"status": "offline"})
        assert await status() == ("offline", "offline")
        assert (await bob.ask("PUT", "/agents/alice/status", {"status": "online"})).code == "E_AUTH_FORBIDDEN"
        assert (await alice.ask("PUT", "/agents/alice/status", {"status": "asleep"})).code == "E_VALIDATION_SCHEMA"


async def test_an_agent_changes_what_is_known_of_it_and_goes(docks):
    async with docks.open("alice", "bob") as (alice, bob):
        changed = await alice.ask("PUT", "/agents/alice", {"description": "reviews", "capabilities": ["go"]})
        assert changed.data["agent"]["description"] == "reviews"
        assert (await bob.ask("PUT", "/agents/alice", {"name": "x"})).code == "E_AUTH_FORBIDDEN"
        assert (await bob.ask("DELETE", "/agents/alice")).code == "E_AUTH_FORBIDDEN"
        await bob.send("alice", "will it be read?")
        assert (await alice.ask("DELETE", "/agents/alice")).data["deleted"] is True
        assert (await alice.ask("GET", "/agents")).status == 401
        assert (await bob.ask("POST", "/messages", {"toAgentId": "alice", "content": "x"})).code == "E_NOT_FOUND_AGENT"
        (notice,) = await bob.peek()
        assert "alice was removed" in notice["content"]


async def test_a_rotated_key_is_good_at_once_and_the_old_one_for_a_while(docks):
    async with docks.open("alice", overlap_seconds=60) as (alice,):
        old = alice.key
        lost = await alice.raw(
            f"POST /agents/alice/rotate-key HTTP/1.1\r\nHost: HOST\r\nAuthorization: Bearer {old}\r\n\r\n".encode()
        )
        new = (await alice.ask("POST", "/agents/alice/rotate-key")).data["apiKey"]  # with the old key, inside its time
        for key in (old, lost.data["apiKey"], new):
            assert (await alice.ask("GET", "/messages/peek", Authorization=f"Bearer {key}")).status == 200
    async with docks.open(overlap_seconds=0) as _:
        alice.url, alice.key = docks.url, new
        newest = (await alice.ask("POST", "/agents/alice/rotate-key")).data["apiKey"]
        answers = [
            (await alice.ask("GET", "/messages/peek", Authorization=f"Bearer {key}")).status
            for key in (newest, new, old)
        ]
        assert answers == [200, 401, 401]


async def test_an_old_key_is_good_past_its_time_until_its_successor_was_used(docks):
    async with docks.open("alice", overlap_seconds=0) as (alice,):
        for _ in range(2):  # each answer was lost
            assert (await alice.ask("POST", "/agents/alice/rotate-key")).status == 200
        new = (await alice.ask("POST", "/agents/alice/rotate-key")).data["apiKey"]
        answers = [
            (await alice.ask("GET", "/messages/peek", Authorization=f"Bearer {key}")).status
            for key in (alice.key, new, alice.key)
        ]
        assert answers == [200, 200, 401]
        alice.key = new
        assert (await alice.ask("POST", "/agents/alice/rotate-key")).status == 200
        code = (await alice.ask("POST", "/agents/alice/claim-code")).data
        path = "/agents/alice/bootstrap-key"
        assert (await alice.ask("POST", path, code, Authorization=None)).status == 200
        assert (await alice.ask("GET", "/messages/peek")).status == 401, "whoever has a code voids what was lost"


async def test_a_claim_code_gives_one_key(docks):
    async with docks.open("alice", "bob") as (alice, bob):
        made = (await alice.ask("POST", "/agents/alice/claim-code")).data
        assert (len(made["claimCode"]), made["claimCode"][4]) == (9, "-")
        assert made["claimUrl"].startswith(docks.url)
        assert (await bob.ask("POST", "/agents/alice/claim-code")).code == "E_AUTH_FORBIDDEN"
        path = "/agents/alice/bootstrap-key"
        assert (
            await bob.ask("POST", path, {"claimCode": "AAAA-AAAA"}, Authorization=None)
        ).code == "E_AUTH_INVALID_TOKEN"
        other = "/agents/bob/bootstrap-key"
        assert (await bob.ask("POST", other, made, Authorization=None)).status == 401
        key = (await bob.ask("POST", path, {"claimCode": made["claimCode"].lower()}, Authorization=None)).data["apiKey"]
        assert (await bob.ask("POST", path, made, Authorization=None)).status == 401
        shown = await alice.ask("GET", "/agents/alice", Authorization=f"Bearer {key}")
        assert shown.data["agent"]["isClaimed"] is True
        assert (await alice.ask("POST", "/agents/alice/generate-key")).code == "E_CONFLICT_ALREADY_EXISTS"


def test_a_request_without_a_key_comes_in_where_the_table_of_paths_says_so_and_nowhere_else():
    for way in WAYS:
        path = re.sub(r"\{.*?\}", "x", way.path)
        assert is_open({"method": way.method, "path": path}) is way.is_open, way.path
    assert is_open({"method": "GET", "path": "/openapi.json"})
    assert not is_open({"method": "POST", "path": "/agents/x/y/bootstrap-key"})


async def test_the_rate_limit_says_what_is_left_and_when_there_is_more(docks):
    async with docks.open("alice", "bob", per_minute=3) as (alice, bob):
        answers = [await alice.ask("GET", "/messages/peek") for _ in range(4)]
        assert [one.status for one in answers] == [200, 200, 200, 429]
        assert [one.headers["x-ratelimit-remaining"] for one in answers] == ["2", "1", "0", "0"]
        error = answers[-1].json["error"]
        assert (error["code"], error["category"], error["retryable"]) == ("E_RATE_LIMIT", "RATE_LIMIT", True)
        assert 0 < error["retry_after_ms"] <= 60_001
        assert 0 < int(answers[-1].headers["retry-after"]) <= 61
        assert (await bob.ask("GET", "/messages/peek")).status == 200


async def test_a_request_over_the_rate_limit_is_answered_before_its_body_is_read(docks):
    async with docks.open("alice", per_minute=1) as (alice,):
        assert (await alice.ask("GET", "/messages/peek")).status == 200
        head = alice.request("PUT", f"/attachments/{'0' * 64}", Content_Length=str(ATTACHMENT_BYTES))
        answer = await alice.raw(head)  # and not a byte of the file
        assert (answer.status, answer.code) == (429, "E_RATE_LIMIT")
        assert (answer.headers["x-ratelimit-limit"], answer.headers["x-ratelimit-remaining"]) == ("1", "0")


async def test_the_document_names_every_path(docks):
    async with docks.open("alice") as (alice,):
        document = (await alice.ask("GET", "/openapi.json", Authorization=None)).json
        assert document["openapi"] == "3.1.0"
        assert {"/messages", "/agents/{id}/rotate-key", "/messages/stream"} <= set(document["paths"])
        assert document["paths"]["/health"]["get"]["security"] == [{}, {"key": []}]


async def test_a_dock_that_was_killed_between_its_stores_agrees_with_the_directory_again(docks, home):
    async with docks.open("alice") as _, Lending("test").mailbox() as mailbox:
        await mailbox.dismiss("alice")
    async with docks.open("bob") as (bob,):
        assert [one["agentId"] for one in (await bob.ask("GET", "/agents")).data["agents"]] == ["alice", "bob"]
    (home / "commands" / "dock" / FILE).unlink()
    for rest in (home / "commands" / "dock").glob(f"{FILE}-*"):
        rest.unlink()
    async with docks.open("carol") as (carol,):
        assert [one["agentId"] for one in (await carol.ask("GET", "/agents")).data["agents"]] == ["carol"]


async def test_files_that_are_no_certificate_are_one_clear_line(home, tmp_path):
    (tmp_path / "x.pem").write_text("no certificate")
    tls = Tls(certificate=tmp_path / "x.pem", key=tmp_path / "x.pem")
    plan = Plan(listen="127.0.0.1:0", settings=Settings(), tls=tls)
    with anyio.fail_after(20), pytest.raises(ConfigError, match="certificate"):
        async with running(plan, Lending("dock")):
            pass
