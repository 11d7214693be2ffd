"""The whole relay over the real claude, by its command line."""

from __future__ import annotations

import json
import os
import signal

import pytest

pytestmark = pytest.mark.live
OPTIONS = [{"label": "Red", "description": "warm"}, {"label": "Blue", "description": "cold"}]
QUESTIONS = {"questions": [{"question": "Which colour?", "header": "Colour", "multiSelect": False, "options": OPTIONS}]}


@pytest.mark.parity("AR-1")
def test_a_message_is_answered_and_its_trace_shows_every_step(house):
    with house.run():
        assert house.program("send", "main", "say:hi there", "--wait", "20").out == "hi there\n"
        sent = house.send("main", "exec:echo hi;;say:done")
        delivery = house.ended(sent)
        assert [step["state"] for step in delivery["steps"]] == ["queued", "leased", "delivered", "seen", "answered"]


@pytest.mark.parity("AR-9", "N-4")
def test_a_command_waits_for_a_person_and_a_second_decision_is_too_late(house):
    with house.run():
        sent = house.send("main", "exec:touch made;;say:made it")
        request = house.asked()
        assert (request["agent"], request["action"], request["title"]) == ("main", "command", "touch made")
        assert house.program.status("main", reason="permission")["kind"] == "busy"
        assert house.program("approve", request["id"][:8]).out == "approved: main, touch made\n"
        assert house.program("deny", request["id"]).code == 4
        assert house.ended(sent)["state"] == "answered"
    assert (house.workspace / "made").exists()


@pytest.mark.parity("AR-9")
def test_a_question_is_answered_from_the_command_line(house):
    with house.run():
        sent = house.send("main", f"tool:AskUserQuestion|{json.dumps(QUESTIONS)};;say:thanks")
        request = house.asked()
        assert request["choices"][0]["options"] == ["Red", "Blue"]
        assert house.program("approve", request["id"]).code == 4
        assert house.program("approve", request["id"], "--answer", "Red").code == 0
        assert house.ended(sent)["state"] == "answered"
    assert '\\"Which colour?\\"=\\"Red\\"' in json.dumps(house.stub.requests()[-1]["body"])


@pytest.mark.parity("AR-9")
def test_a_tool_gets_another_input_than_it_was_asked_for(house):
    with house.run():
        sent = house.send("main", "exec:touch made;;say:done")
        changed = json.dumps({"command": "touch other"})
        assert house.program("approve", house.asked()["id"], "--input", changed).code == 0
        assert house.ended(sent)["state"] == "answered"
    assert [(house.workspace / name).exists() for name in ("made", "other")] == [False, True]


@pytest.mark.parity("AR-9")
@pytest.mark.parametrize(
    ("mode", "made", "written"),
    [("auto", True, True), ("deny", False, True), ("read-only", False, False)],
)
def test_an_approval_mode_decides_by_itself(house, mode, made, written):
    outside = house.workspace.parent / "outside.txt"
    with house.run(main={"approval": mode}):
        script = f"exec:touch {outside};;write:{house.workspace}/note.txt|x;;say:tried both"
        assert house.program("send", "main", script, "--wait", "20").out == "tried both\n"
    assert (outside.exists(), (house.workspace / "note.txt").exists()) == (made, written)


@pytest.mark.parity("N-4", "AR-9")
def test_a_request_of_a_relay_that_was_killed_is_withdrawn_and_never_approved(house):
    with house.run() as relay:
        sent = house.send("main", "exec:touch made;;say:made it")
        request = house.asked()
        relay.kill()
        relay.wait(20)
    with house.run():
        assert house.ended(sent)["state"] == "answered"
        assert house.program("approve", request["id"]).code == 4
        (kept,) = house.program("permissions", "--all", "--json").json["permissions"]
    assert kept["state"] == "withdrawn"
    assert not (house.workspace / "made").exists()


@pytest.mark.parity("N-3")
def test_now_interrupts_and_what_it_interrupted_is_not_tried_again(house):
    with house.run():
        first = house.send("main", "gate:nobody-opens:some text that is cut")
        house.program.until(lambda: house.delivery(first)["state"] == "seen")
        assert house.program("send", "main", "say:at once", "--priority", "now", "--wait", "20").out == "at once\n"
        assert house.ended(first)["state"] == "interrupted"


@pytest.mark.parity("N-3")
def test_a_next_of_the_same_thread_joins_and_one_reply_answers_both(house):
    with house.run():
        first = house.send("main", "exec:sleep 2;;say:both", "--thread", "t")
        house.program.until(lambda: house.delivery(first)["state"] == "seen")
        second = house.send("main", "and this", "--thread", "t", "--priority", "next")
        assert house.ended(second)["state"] == house.ended(first)["state"] == "answered"
        assert [item["body"] for item in house.program("inbox", "--json").json["items"]] == ["both"]


@pytest.mark.parity("AR-15")
def test_the_model_is_changed_and_the_context_compacted_by_a_command(house):
    def able():
        (agent,) = house.program("agents", "--json").json["agents"]
        return agent["able"]

    with house.run():
        for text in ("say:one", "say:two"):
            house.program("send", "main", text, "--wait", "20")
        house.program.until(lambda: (able()["model"] or "").startswith("claude-opus"))
        assert house.program("model", "main", "claude-sonnet-5-5").code == 0
        house.program.until(lambda: able()["model"] == "claude-sonnet-5-5")
        assert (able()["compact"], able()["context"], able()["attach"]) == (True, True, True)
        assert house.program("compact", "main").code == 0
        house.program("send", "main", "say:three", "--wait", "20")
    assert house.stub.requests()[-1]["body"]["model"] == "claude-sonnet-5-5"


def test_the_model_that_was_ordered_holds_after_claude_was_killed_and_until_a_restart(house):
    def asked(text):
        assert house.program("send", "main", text, "--wait", "30").code == 0
        return house.stub.requests()[-1]["body"]["model"]

    with house.run(main={"options": {"model": "claude-opus-5-5"}}):
        began = asked("say:one")
        assert house.program("model", "main", "claude-sonnet-5-5").code == 0
        (agent,) = house.program("agents", "--json").json["agents"]
        os.kill(agent["pid"], signal.SIGKILL)
        house.program.status("main", reason="restarting")
        assert asked("say:two") == "claude-sonnet-5-5" != began
        assert house.program("restart", "main").code == 0
        assert asked("say:three") == began


@pytest.mark.parity("N-6")
def test_a_restart_goes_on_with_the_same_session(house):
    with house.run():
        house.program("send", "main", "say:the first", "--wait", "20")
        assert house.program("restart", "main").code == 0
        assert house.program("send", "main", "say:the second", "--wait", "20").out == "the second\n"
    assert "the first" in json.dumps(house.stub.requests()[-1]["body"])


@pytest.mark.parity("AR-8", "N-6")
def test_a_cleared_agent_begins_anew_with_the_same_queue_and_no_relay_brings_the_old_one_back(house):
    def session():
        (agent,) = house.program("agents", "--json").json["agents"]
        return agent["session"]

    with house.run():
        house.program("send", "main", "say:a secret word", "--wait", "20")
        before = session()
        running = house.send("main", "gate:first:let go", "--thread", "t")
        house.program.until(lambda: house.delivery(running)["state"] == "seen")
        waiting = house.send("main", "say:after the clear")
        assert house.program("clear", "main", "--no-wait").code == 0
        # What the worker takes in after the order it takes in with it.
        joining = house.send("main", "say:joins", "--thread", "t", "--priority", "next")
        house.program.until(lambda: house.delivery(joining)["state"] in ("delivered", "seen"))
        house.stub.open_gate("first")
        assert [house.ended(sent)["state"] for sent in (running, waiting)] == ["answered", "answered"]
        after = session()
    with house.run():
        house.program("send", "main", "say:later", "--wait", "20")
        assert session() == after != before
    body = json.dumps(house.stub.requests()[-1]["body"])
    assert ("after the clear" in body, "a secret word" in body) == (True, False)


@pytest.mark.parity("AR-6", "AR-7")
def test_a_task_and_a_subagent_are_the_work_in_hand_until_they_end(house):
    with house.run():
        sent = house.send("main", "agent:gate:sub:its report;;say:done", "--task", "look into it")
        status = house.program.until(lambda: with_subagent(house))
        kinds = {item["kind"]: item["label"] for item in status["work"]}
        assert (kinds["task"], kinds["subagent"]) == ("look into it", "general-purpose")
        house.stub.open_gate("sub")
        house.ended(sent)
        (task,) = house.program("trace", sent, "--json").json["tasks"]
        assert (task["state"], house.program.status("main", kind="idle")["work"]) == ("done", [])


def with_subagent(house):
    (agent,) = house.program("agents", "--json").json["agents"]
    return agent["status"] if "subagent" in [item["kind"] for item in agent["status"]["work"]] else None


def test_after_a_clear_a_new_relay_goes_on_with_the_new_conversation(house):
    with house.run():
        house.program("send", "main", "say:a secret word", "--wait", "20")
        house.ended(house.send("main", "/clear"))
        house.program("send", "main", "say:after the clear", "--wait", "20")
    with house.run():
        house.program("send", "main", "say:later", "--wait", "20")
    body = json.dumps(house.stub.requests()[-1]["body"])
    assert ("after the clear" in body, "a secret word" in body) == (True, False)


@pytest.mark.parametrize("text", ["look at @{path} please", "@{path}"])
def test_a_path_in_a_message_is_no_file_that_nobody_was_asked_for(house, tmp_path, text):
    path = tmp_path / "elsewhere"
    path.write_text("the secret of elsewhere\n")
    with house.run(main={"approval": "deny"}):
        assert house.send("main", f"say:seen {text.format(path=path)}", "--wait", "30")
        assert house.program("send", "main", "/context", "--wait", "30").code == 0, "a person's command is still one"
    asked = [json.dumps(request) for request in house.stub.requests()]
    assert asked
    assert not [one for one in asked if "the secret of elsewhere" in one]


@pytest.mark.parity("AR-13")
@pytest.mark.parametrize("approval", ["deny", "read-only"])
def test_a_file_that_is_sent_may_be_read_by_its_agent_and_by_no_other(house, tmp_path, approval):
    (tmp_path / "build.log").write_text("the words of the log")
    with house.run(main={"approval": approval}, other={"approval": approval}):
        for agent in ("other", "main"):
            house.ended(house.send(agent, "say:seen", "--attach", "build.log"))
        place = house.program.home / "cache" / "attachments"
        own, others = (next(place.glob(f"{agent}/*/build.log")) for agent in ("main", "other"))
        for path in (own, others):
            call = json.dumps({"file_path": str(path)})
            house.ended(house.send("main", f"tool:Read|{call};;say:done"))
        told = json.dumps(house.stub.requests()[-1]["body"]["messages"])
    assert told.count("the words of the log") == 1
    assert len(house.program("permissions", "--all", "--json").json["permissions"]) == 1
