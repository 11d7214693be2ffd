"""Real codexes that use the relay's tools: one asks the other, and goes on with the answer."""

from __future__ import annotations

import json
import os
import signal
from pathlib import Path

import pytest

from relaykit.testing.codex_home import codex_binary, write_codex_home

pytestmark = [pytest.mark.live, pytest.mark.parity("N-5")]
PLAIN = {"options": {"model": "stub-model"}}
"""To models that it knows, codex offers such tools through a search of its own."""


def tool(name, **arguments):
    return f"tool:{name}|{json.dumps(arguments)}"


def script(*steps):
    return ";;".join(steps)


def texts(house):
    """Return what the relay's tools said to the models, in the order of the calls."""
    found = {}
    for entry in house.stub.requests():
        for item in entry.get("body", {}).get("input", []):
            if item.get("type") == "function_call_output":
                output = item["output"]
                found[item["call_id"]] = output if isinstance(output, str) else output[-1]["text"]
    return list(found.values())


def two_bodies(house):
    items = house.program("inbox", "--keep", "--json").json["items"]
    return [item["body"] for item in items] if len(items) == 2 else None


def children_environment(pid):
    """Return the environment of the codex that a process started."""
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit() and b"app-server" in read(entry / "cmdline") and is_below(int(entry.name), pid):
            pairs = read(entry / "environ").decode().split("\0")
            return dict(pair.split("=", 1) for pair in pairs if "=" in pair)
    raise AssertionError


def is_below(pid, ancestor):
    while pid > 1:
        if pid == ancestor:
            return True
        pid = int(read(Path("/proc", str(pid), "stat")).rpartition(b")")[2].split()[1] or 0)
    return False


def command_lines():
    return [read(entry / "cmdline") for entry in Path("/proc").iterdir() if entry.name.isdigit()]


def read(path):
    try:
        return path.read_bytes()
    except OSError:
        return b"0) 0 0"


def test_an_agent_asks_another_by_its_tool_waits_and_goes_on_with_the_answer(house):
    with house.run(author=PLAIN, reviewer={**PLAIN, "tags": ["review"]}):
        ask = tool("send", to="reviewer", body="say:the lock is held too long", wait=40, task="review")
        sent = house.send("author", script(tool("find_agents", tag="review"), ask, "recall:the review says"))
        assert house.ended(sent)["state"] == "answered"
        (item,) = house.program("inbox", "--json").json["items"]
        found, answered = (json.loads(text) for text in texts(house)[:2])
        assert [(one["name"], one["status"]) for one in found["agents"]] == [("reviewer", "idle")]
        assert answered["replies"][0]["body"] == "the lock is held too long"
        assert item["body"].startswith("the review says ")
        assert "the lock is held too long" in item["body"]
        question = house.program("trace", answered["id"], "--json").json
        assert (question["from"], question["to"], question["root"]) == ("author", "reviewer", sent)
        assert [step["state"] for step in question["deliveries"][0]["steps"]][-1] == "answered"
        assert (question["tasks"][0]["state"], question["tasks"][0]["agent"]) == ("done", "reviewer")
        assert house.program("permissions", "--json").json == {"permissions": []}


def test_an_agent_that_does_not_wait_gets_the_answer_as_a_turn_and_the_person_a_follow_up(house):
    with house.run(author=PLAIN, reviewer=PLAIN):
        ask = tool("send", to="reviewer", body="say:say:the review is good")
        sent = house.send("author", script(ask, "say:I have asked"))
        assert house.ended(sent)["state"] == "answered"
        bodies = house.program.until(lambda: two_bodies(house))
    assert bodies == ["I have asked", "the review is good"]


def test_a_task_and_an_early_answer_are_told_by_the_tools(house):
    with house.run(main=PLAIN):
        whoami = tool("whoami")
        sent = house.send("main", script(whoami, "say:done"), "--task", "mend it", "--id", "message-0001")
        assert house.ended(sent)["state"] == "answered"
        assert json.loads(texts(house)[0])["working_on"][0]["task"]["state"] == "in progress"
        early = script(
            tool("reply", message="message-0002", body="at once"),
            tool("task", message="message-0002", state="failed", note="no compiler"),
            "say:not sent",
        )
        house.send("main", early, "--task", "mend it", "--id", "message-0002")
        house.ended("message-0002")
        trace = house.program("trace", "message-0002", "--json").json
    assert [reply["body"] for reply in trace["replies"]] == ["at once"]
    assert (trace["tasks"][0]["state"], trace["tasks"][0]["note"]) == ("failed", "no compiler")


@pytest.mark.parity("AR-17")
def test_the_token_is_in_no_argument_no_file_and_no_output(house):
    with house.run(main=PLAIN) as relay:
        house.ended(house.send("main", script(tool("whoami"), "say:done")))
        (info,) = (house.program.home / "relays").iterdir()
        assert json.loads(info.read_text())["pid"] == relay.pid
        environment = children_environment(relay.pid)
        token = environment["RELAYKIT_TOKEN"].encode()
        assert len(token) > 30
        assert not [one for one in command_lines() if token in one]
        for path in [*house.program.home.rglob("*"), *house.codex_home.rglob("*")]:
            assert not path.is_file() or token not in path.read_bytes(), path
        assert token.decode() not in str(house.stub.requests())


def test_without_the_edge_an_agent_has_no_tools(house):
    with house.run_with("listen = 'off'", main=PLAIN):
        house.ended(house.send("main", "say:done"))
        (request,) = [one for one in house.stub.requests() if "body" in one]
        assert "find_agents" not in json.dumps(request["body"])
        assert not (house.program.home / "token").exists()


def question_of(house):
    """Return the message that the author asked the reviewer, once its turn has begun."""
    items = house.program("inbox", "reviewer", "--json").json["items"]
    return next((item for item in items if item["from"] == "author" and item["state"] == "seen"), None)


@pytest.mark.faults
@pytest.mark.parity("N-2")
def test_a_relay_that_is_killed_while_a_tool_waits_loses_neither_the_question_nor_the_answer(house):
    ask = tool("send", to="reviewer", body="gate:review:found nothing", wait=45)
    with house.run(author=PLAIN, reviewer=PLAIN) as relay:
        sent = house.send("author", script(ask, "recall:the review says"))
        question = house.program.until(lambda: question_of(house))
        relay.kill()
        relay.wait(20)
    house.stub.open_gate("review")
    with house.run(author=PLAIN, reviewer=PLAIN):
        for message in (sent, question["id"]):
            assert house.ended(message)["state"] == "answered"
            kinds = [reply["kind"] for reply in replies_of(house, message)]
            assert kinds.count("reply") == 1
        (reply,) = house.program("trace", question["id"], "--json").json["replies"]
        assert house.ended(reply["id"])["state"] in ("answered", "acknowledged")


@pytest.mark.faults
@pytest.mark.parity("N-2")
def test_an_agent_that_dies_while_its_tool_waits_gets_the_answer_as_a_message(house):
    ask = tool("send", to="reviewer", body="gate:review:found nothing", wait=45)
    with house.run(author=PLAIN, reviewer=PLAIN):
        sent = house.send("author", script(ask, "recall:the review says"))
        question = house.program.until(lambda: question_of(house))
        (pid,) = [one["pid"] for one in house.program("agents", "--json").json["agents"] if one["id"] == "author"]
        os.kill(pid, signal.SIGKILL)
        assert house.ended(sent)["state"] == "answered"
        house.stub.open_gate("review")
        (reply,) = house.program.until(lambda: replies_of(house, question["id"]))
        assert reply["body"] == "found nothing"
        assert house.ended(reply["id"])["reason"] != "shown to the wait"
        assert "found nothing" in str(house.stub.requests()[-1]["body"]["input"])


def replies_of(house, message):
    return house.program("trace", message, "--json").json["replies"] or None


def test_the_demo_with_real_agents_shows_both_traces_and_leaves_nothing_behind(house, tmp_path):
    places = {"TMPDIR": str(tmp_path / "tmp"), "CODEX_HOME": str(house.codex_home), "PATH": path_with_codex(tmp_path)}
    (tmp_path / "tmp").mkdir()
    write_codex_home(house.codex_home, house.stub.base_url, model="stub-model")
    ask = script(tool("send", to="reviewer", body="say:mailbox", wait=40), "recall:it said")
    ended = house.program("demo", "--real", "--ask", ask, env=places)
    assert (ended.code, ended.err) == (0, "")
    assert "author is codex, reviewer is codex" in ended.out
    assert "author answers: it said" in ended.out
    assert "message from author to reviewer" in ended.out
    assert ended.out.count(" answered ") >= 2
    assert list((tmp_path / "tmp").iterdir()) == []


def test_the_demo_with_real_agents_says_what_is_missing_where_there_is_none(house, tmp_path):
    with_none = {"PATH": str(tmp_path), "RELAYKIT_PLUGINS": ""}
    ended = house.program("demo", "--real", env=with_none)
    assert (ended.code, ended.out) == (1, "")
    assert 'codex: it is not installed; pip install "relaykit[codex]"' in ended.err


def path_with_codex(tmp_path):
    """Return a PATH on which codex, and no other agent, is found."""
    bin_ = tmp_path / "bin"
    bin_.mkdir()
    (bin_ / "codex").symlink_to(codex_binary())
    return f"{bin_}:/usr/bin:/bin"


def test_an_answer_that_a_codex_had_in_its_socket_and_died_before_it_read_it_comes_as_a_message(house):
    with house.run(author=PLAIN, reviewer=PLAIN):
        ask = tool("send", to="reviewer", body="gate:late:as you asked", wait=40)
        sent = house.send("author", script(ask, "say:done"))
        (question,) = house.program.until(lambda: house.program("inbox", "reviewer", "--all", "--json").json["items"])
        house.program.until(lambda: house.delivery(question["id"])["state"] == "seen")
        pids = {one["id"]: one["pid"] for one in house.program("agents", "--json").json["agents"]}
        os.kill(pids["author"], signal.SIGSTOP)
        house.stub.open_gate("late")
        assert house.ended(question["id"])["state"] == "answered"
        house.program("send", "reviewer", "say:the relay goes on", "--wait", "20")
        assert house.delivery(sent)["state"] == "seen"
        os.kill(pids["author"], signal.SIGKILL)
        items = house.program.until(lambda: house.program("inbox", "author", "--all", "--json").json["items"][1:])
        (answer,) = [one["id"] for one in items if one["id"] != sent]
        assert house.ended(answer)["state"] == "answered"
