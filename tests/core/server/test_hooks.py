"""What a provider's hooks report becomes an event of the session, and where it means work, a reason of the status."""

from __future__ import annotations

import json
from collections import Counter

import anyio
import pytest

from relaykit.errors import RefusedError
from relaykit.model import ProviderNote
from relaykit.server.hooks import note, read
from relaykit.testing.scripted import SECONDS

pytestmark = [pytest.mark.anyio, pytest.mark.parity("AR-12")]


async def report(client, name, **data):
    answer = await client("POST", f"/hooks/{name}", json.dumps(data).encode())
    assert (answer.status, answer.json) == (200, {})


async def test_a_hook_is_a_note_in_the_events_of_its_own_session(edge):
    async with edge.relay("a", "b") as relay, relay.subscribe(agent="a") as events:
        await report(edge.client("a"), "PostToolUse", tool_name="Bash")
        await report(edge.client("a"), "SomethingNew", anything=[1, {"deep": {"deeper": {"deepest": 1}}}])
        found = []
        with anyio.fail_after(SECONDS):
            async for event in events:
                if isinstance(event.what, ProviderNote):
                    found.append(event)
                if len(found) == 2:
                    break
        assert [(one.what.name, one.agent) for one in found] == [("hook.PostToolUse", "a"), ("hook.SomethingNew", "a")]
        assert found[0].what.data == {"tool_name": "Bash"}


async def test_work_that_a_hook_tells_of_is_a_reason_until_it_or_the_turn_ends(edge):
    async with edge.relay() as relay:
        await edge.begin(relay)
        client = edge.client()
        await report(client, "SubagentStart", agent_id="s1", agent_type="searcher")
        await report(client, "PreCompact", trigger="auto")
        await edge.work("turn", "message", "subagent", "compaction")
        await report(client, "SubagentStop", agent_id="s1")
        await edge.work("turn", "message", "compaction")
        edge.sessions["a"].end(text="done")
        await edge.work()


async def test_what_is_told_while_the_session_opens_is_kept(edge):
    told = []

    async def tell(request):
        client = edge.client_of(request.endpoint)
        await report(client, "SessionStart", source="startup")
        told.append(client)

    edge.world.provider.opening = tell
    async with edge.relay():
        assert told
    stored = [event.what for event in await edge.world.sessions.events(agent="a")]
    assert [what.name for what in stored if isinstance(what, ProviderNote)] == ["hook.SessionStart"]


async def test_the_person_reports_of_no_session(edge):
    async with edge.relay():
        assert (await edge.person()("POST", "/hooks/Stop", b"{}")).status == 403


@pytest.mark.parametrize(
    ("name", "body", "status"),
    [
        ("Stop", b"no json", 400),
        ("Stop", b"[1]", 400),
        ("a%20b", b"{}", 400),
        ("x" * 65, b"{}", 400),
        ("Stop", b" " * (2**20 + 1), 413),
    ],
)
async def test_what_no_hook_sends_is_refused(edge, name, body, status):
    async with edge.relay():
        assert (await edge.client()("POST", f"/hooks/{name}", body)).status == status


def test_what_is_kept_is_small_whatever_comes():
    said = {
        "long": "x" * 10_000,
        "many": list(range(1000)),
        "deep": {"a": {"b": {"c": 1}}},
        "odd": "\ud800",
        "big": 10**30,
    }
    body = json.dumps({**said, **{f"k{number}": 1 for number in range(100)}}).encode()
    data = note("Stop", read("Stop", body)).data
    assert len(data) == 50
    assert (len(data["long"]), len(data["many"])) == (2000, 50)
    assert data["deep"] == {"a": {"b": "…"}}
    assert (data["odd"], data["big"]) == ("?", str(10**30))
    assert Counter(type(value).__name__ for value in data.values())["dict"] == 1
    assert read("Stop", b"") == {}
    with pytest.raises(RefusedError):
        read("Stop", b'"text"')
