"""What the tools do, called over the wire as an agent's provider calls them."""

from __future__ import annotations

import anyio
import pytest

from relaykit.model import MessageKind, Profile, State, StatusKind, TaskState
from relaykit.testing.scripted import SECONDS

pytestmark = [pytest.mark.anyio, pytest.mark.parity("N-5")]


async def test_every_tool_is_listed_with_a_small_schema(edge):
    async with edge.relay():
        tools = (await edge.client().rpc("tools/list"))["result"]["tools"]
    names = [tool["name"] for tool in tools]
    assert names == ["send", "reply", "inbox", "thread", "react", "find_agents", "task", "whoami"]
    for tool in tools:
        assert tool["inputSchema"]["additionalProperties"] is False
        assert all(one["description"] for one in tool["inputSchema"]["properties"].values())
    assert len(str(tools)) < 8000, "every turn of every agent pays for it"


async def test_what_is_sent_is_from_the_tokens_agent_and_caused_by_its_turn(edge):
    async with edge.relay("a", "b") as relay:
        asked = await edge.begin(relay, "a")
        sent = await edge.client("a").tool("send", to="b", body="please review")
        trace = await relay.trace(sent["id"])
        assert (trace.message.sender, trace.message.root, trace.message.hops) == ("a", asked.id, 1)
        assert sent["deliveries"][0]["to"] == "b"
        submission = await edge.sessions["b"].submitted()
        assert "please review" in submission.text


async def test_a_priority_that_was_lowered_is_told(edge):
    async with edge.relay("a", "b") as relay:
        await edge.begin(relay, "a")
        for wait in (0, 0.05):
            sent = await edge.client("a").tool("send", to="b", body="stop!", priority="now", wait=wait)
            assert sent["priority"] == "next, since you may not send now"
        assert "priority" not in await edge.client("a").tool("send", to="b", body="stop!", priority="next")
        assert "priority" not in await edge.person().tool("send", to="b", body="stop!", priority="now")


async def test_a_reply_in_the_turn_is_the_answer_and_what_ends_the_turn_is_not_sent(edge):
    async with edge.relay() as relay:
        message = await edge.begin(relay)
        said = await edge.client().tool("reply", message=message.id, body="at once")
        assert said["deliveries"] == [{"to": "user", "state": "queued"}]
        assert "not sent any more" in said["note"]
        again = await edge.client().tool("reply", message=message.id, body="and more")
        assert "one more message" in again["note"]
        edge.sessions["a"].end(text="the end")
        trace = await edge.world.ended(message.id)
        assert [(one.kind, one.body) for one in trace.replies] == [
            (MessageKind.REPLY, "at once"),
            (MessageKind.MESSAGE, "and more"),
        ]


async def test_an_agent_never_gets_what_is_anothers(edge):
    async with edge.relay("a", "b", "c") as relay:
        secret = await edge.begin(relay, "a", "a secret", thread="plans")
        other = await edge.begin(relay, "b", "go")
        b = edge.client("b")
        await edge.client("a").tool("reply", message=secret.id, body="a secret answer")
        told = [
            await b.refused("thread", id="plans"),
            await b.refused("thread", id=secret.id),
            await b.refused("reply", message=secret.id, body="x"),
            await b.refused("react", message=secret.id, reaction="x"),
            await b.refused("task", message=secret.id),
            await b.refused("reply", message=secret.id[:8], body="x"),
            str(await b.tool("inbox", ended=True, limit=50)),
            str(await b.tool("whoami")),
        ]
        assert not any("a secret" in one for one in told)
        assert secret.id not in told[5]
        sent = await b.tool("send", to="c", body="joining", thread="plans")
        (only,) = (await b.tool("thread", id="plans"))["messages"]
        assert only["id"] == sent["id"]
        assert (await b.tool("inbox"))["items"][0]["id"] == other.id


async def test_the_inbox_shows_what_waits_cut_and_the_thread_has_it_whole(edge):
    async with edge.relay() as relay:
        await edge.begin(relay)
        long = (await relay.send("a", "x" * 2000, thread="t")).message
        client = edge.client()
        first, second = (await client.tool("inbox"))["items"]
        assert (first["state"], second["state"], second["from"]) == ("seen", "queued", "user")
        assert (len(second["body"]), second["cut"]) == (
            500,
            "2000 characters in all; thread with this id and offset 500 goes on",
        )
        (message,) = (await client.tool("thread", id=long.id))["messages"]
        assert len(message["body"]) == 2000
        assert "more" not in await client.tool("inbox", limit=2)
        cut = await client.tool("inbox", limit=1)
        assert (len(cut["items"]), cut["more"]) == (1, "more than 1 wait")


async def test_a_whole_number_may_be_written_with_a_point(edge):
    async with edge.relay() as relay:
        await edge.begin(relay)
        sent = (await relay.send("a", "0123456789", thread="t")).message
        client = edge.client()
        assert len((await client.tool("inbox", limit=1.0))["items"]) == 1
        assert len((await client.tool("thread", id="t", limit=2.0))["messages"]) == 1
        assert (await client.tool("thread", id=sent.id, offset=4.0))["messages"][0]["body"] == "456789"
        assert "limit" in await client.refused("inbox", limit=1.5)


async def test_threads_that_are_too_long_keep_their_end_whole(edge):
    async with edge.relay() as relay:
        for letter in "abc":
            await relay.send("a", letter * 30_000, thread="t")
        found = (await edge.client().tool("thread", id="t"))["messages"]
        assert [len(one["body"]) for one in found] == [0, 10_000, 30_000]
        assert "cut" not in found[-1]


async def test_agents_are_found_by_what_they_are_and_only_those_that_may_be_sent_to(edge):
    profiles = {"closed": Profile(name="closed", reachable_by=("user",))}
    more = {"b": {"tags": ("x",), "label": "bee", "capabilities": ("python",)}, "c": {"profile": "closed"}}
    async with edge.relay("a", "b", "c", profiles=profiles, **more) as relay:
        client = edge.client("a")
        found = (await client.tool("find_agents"))["agents"]
        assert [one["name"] for one in found] == ["b"]
        assert (found[0]["label"], found[0]["tags"], found[0]["status"]) == ("bee", ["x"], "idle")
        for wanted in ({"label": "bee"}, {"tag": "x"}, {"capability": "python"}, {"status": "idle"}):
            assert [one["name"] for one in (await client.tool("find_agents", **wanted))["agents"]] == ["b"]
        for other in ({"label": "a"}, {"tag": "y"}, {"capability": "rust"}, {"status": "error"}):
            assert (await client.tool("find_agents", **other))["agents"] == []
        told = await client.refused("send", to="c", body="hello")
        assert "may not send" in told
        assert await client.refused("send", to="x", body="?") == "send: nobody is called 'x'; there are: a, b"
        assert "there are: a, b, c" in await edge.person().refused("send", to="x", body="?")
        await edge.begin(relay, "b")
        await edge.world.status("b", StatusKind.BUSY)
        assert (await client.tool("find_agents", status="busy"))["agents"][0]["name"] == "b"


async def test_who_one_is_and_what_one_works_on(edge):
    async with edge.relay("a", a={"tags": ("x",)}) as relay:
        message = await edge.begin(relay)
        await relay.send("a", "later")
        found = await edge.client().tool("whoami")
        assert (found["name"], found["tags"], found["waiting"]) == ("a", ["x"], 1)
        assert [one["id"] for one in found["working_on"]] == [message.id]
        assert (await edge.person().tool("whoami"))["name"] == "user"


async def test_a_task_is_looked_at_and_set(edge):
    async with edge.relay("a", "b") as relay:
        await edge.begin(relay, "a")
        sent = await edge.client("a").tool("send", to="b", body="the build is red", task="mend the build")
        b = edge.sessions["b"]
        b.start((await b.submitted()).id)
        await edge.world.until(sent["id"], lambda delivery: delivery.state is State.SEEN)
        for name in ("a", "b"):
            found = await edge.client(name).tool("task", message=sent["id"])
            assert found == {"title": "mend the build", "state": "in progress", "agent": "b"}
        told = await edge.client("b").tool("task", message=sent["id"], state="failed", note="no compiler")
        assert (told["state"], told["note"]) == ("failed", "no compiler")
        b.end(text="sorry")
        (task,) = (await edge.world.ended(sent["id"])).tasks
        assert (task.state, task.note) == (TaskState.FAILED, "no compiler")
        assert "gave it away" in await edge.client("a").refused("task", message=sent["id"], state="done")


async def test_whoever_gave_a_task_to_a_group_is_told_how_it_goes_with_each(edge):
    tagged = {"tags": ("x",)}
    async with edge.relay("a", "b", "c", b=tagged, c=tagged) as relay:
        await edge.begin(relay, "a")
        sent = await edge.client("a").tool("send", to="tag:x", body="the build is red", task="mend the build")
        b, c = edge.sessions["b"], edge.sessions["c"]
        b.answer("done", (await b.submitted()).id)
        c.start((await c.submitted()).id)
        await edge.world.until(sent["id"], lambda one: one.state in (State.SEEN, State.ANSWERED))
        await edge.client("c").tool("task", message=sent["id"], state="failed", note="no compiler")
        found = await edge.client("a").tool("task", message=sent["id"])
        assert found["title"] == "mend the build"
        assert [(one["to"], one["state"]) for one in found["tasks"]] == [("b", "done"), ("c", "failed")]
        assert (await edge.client("c").tool("task", message=sent["id"]))["note"] == "no compiler"


async def test_a_task_for_any_is_claimed_before_its_turn(edge):
    tagged = {"tags": ("x",)}
    async with edge.relay("a", "b", a=tagged, b=tagged) as relay:
        await edge.begin(relay, "a")
        await edge.begin(relay, "b")
        sent = await edge.person().tool("send", to="any:tag:x", body="the build is red", task="mend the build")
        assert (await edge.client("b").tool("task", message=sent["id"], claim=True))["agent"] == "b"
        assert "b has it" in await edge.client("a").refused("task", message=sent["id"], claim=True)
        edge.sessions["a"].end(text="done")
        edge.sessions["b"].end(text="done")
        assert "the build is red" in (await edge.sessions["b"].submitted(2)).text


async def test_a_reaction_is_seen_by_whoever_looks(edge):
    async with edge.relay() as relay:
        message = await edge.begin(relay)
        await edge.client().tool("react", message=message.id, reaction="on it")
        assert [(one.who, one.what) for one in (await relay.trace(message.id)).reactions] == [("a", "on it")]


@pytest.mark.parametrize(
    ("tool", "arguments", "told"),
    [
        ("send", {}, "'to' is missing"),
        ("send", {"to": "b", "body": 5}, "body"),
        ("send", {"to": "b", "body": "x", "wiat": 5}, "wait"),
        ("send", {"to": "b", "body": "x", "wait": 51}, "50"),
        ("send", {"to": "nobody", "body": "x"}, "nobody"),
        ("send", {"to": "not an address", "body": "x"}, "is not an address"),
        ("send", {"to": "user", "body": "\ud800"}, "no valid text"),
        ("send", {"to": "user", "body": "x" * (2**20 + 1)}, "bytes"),
        ("thread", {"id": "\ud800"}, "no valid text"),
        ("task", {"message": "\ud800"}, "no valid text"),
        ("reply", {"message": "\ud800", "body": "x"}, "no valid text"),
        ("react", {"message": "x", "reaction": "\ud800"}, "no valid text"),
        ("find_agents", {"label": "\ud800"}, "no valid text"),
        ("send", {"to": "user", "body": "x", "priority": "soon"}, "later"),
        ("thread", {"id": "nowhere"}, "inbox shows the ids"),
        ("task", {"message": "x", "state": "open"}, "state"),
        ("task", {"message": "x", "note": "half of it"}, "say which"),
        ("react", {"message": "x", "reaction": "x" * 33}, "reaction"),
    ],
)
async def test_a_mistake_is_told_with_its_remedy_and_is_no_failure_of_the_protocol(edge, tool, arguments, told):
    async with edge.relay():
        assert told in await edge.client().refused(tool, **arguments)


async def test_the_person_has_the_same_tools_as_user(edge):
    async with edge.relay() as relay:
        a = edge.sessions["a"]
        answers = []

        async def ask():
            answers.append(await edge.person().tool("send", to="a", body="well?", wait=20))

        with anyio.fail_after(SECONDS):
            async with anyio.create_task_group() as tasks:
                tasks.start_soon(ask)
                a.answer("fine", (await a.submitted()).id)
        assert answers[0]["replies"][0]["body"] == "fine"
        assert (await relay.trace(answers[0]["id"])).message.sender == "user"
