from __future__ import annotations

import http.client
import json
import threading
from contextlib import ExitStack, closing

import pytest

from relaykit.testing.openai_steps import answer, plan
from relaykit.testing.openai_stub import running_stub


def user(text):
    return {"type": "message", "role": "user", "content": [{"type": "input_text", "text": text}]}


def events(response):
    return [json.loads(line[6:]) for line in response.read().decode().splitlines() if line.startswith("data: ")]


@pytest.fixture(scope="module", params=[False, True], ids=["threads", "child"])
def stub(request):
    with running_stub(child=request.param) as stub:
        yield stub


@pytest.fixture
def connect(stub):
    with ExitStack() as open_connections:

        def connect():
            connection = http.client.HTTPConnection("127.0.0.1", stub.port, timeout=10)
            return open_connections.enter_context(closing(connection))

        yield connect


@pytest.fixture
def ask(connect):
    with ExitStack() as open_responses:

        def ask(text):
            connection = connect()
            connection.request("POST", "/v1/responses", json.dumps({"model": "m", "input": [user(text)]}))
            return open_responses.enter_context(closing(connection.getresponse()))

        yield ask


def test_a_message_is_streamed_in_pieces(ask):
    told = events(ask("say:hello there"))
    assert "".join(event["delta"] for event in told if event["type"].endswith("text.delta")) == "hello there"
    assert told[-1]["type"] == "response.completed"
    assert told[-1]["response"]["output"][0]["content"][0]["text"] == "hello there"


def test_a_message_comes_in_as_many_pieces_as_wanted(ask):
    told = events(ask("pieces:3:abcdef"))
    assert [event["delta"] for event in told if event["type"].endswith("text.delta")] == ["ab", "cd", "ef"]


def test_the_request_is_logged(stub, ask):
    ask("say:logged").read()
    entry = stub.requests()[-1]
    assert (entry["path"], entry["step"], entry["body"]["model"]) == ("/v1/responses", "say:logged", "m")


def test_a_gate_holds_a_message_until_it_is_opened(stub, ask):
    response = ask("gate:held:first second")
    read = []
    reader = threading.Thread(target=lambda: read.append(events(response)))
    reader.start()
    reader.join(0.2)
    assert reader.is_alive()
    stub.open_gate("held")
    reader.join(10)
    assert read[0][-1]["type"] == "response.completed"


@pytest.mark.parametrize(
    ("step", "status"), [("http:400", 400), ("http:401", 401), ("http:429", 429), ("http:500", 500)]
)
def test_an_http_error_is_answered(step, status, ask):
    response = ask(step)
    assert response.status == status
    assert response.getheader("retry-after") == ("1" if status == 429 else None)
    assert json.loads(response.read())["error"]["message"]


def test_a_step_goes_wrong_only_as_often_as_it_says(ask):
    assert [ask("http:500:2").status for _ in range(3)] == [500, 500, 200]


def test_a_stream_that_is_cut_has_no_end(ask):
    with pytest.raises(http.client.IncompleteRead):
        ask("drop").read()


def test_a_failed_response_says_why(ask):
    assert events(ask("failed:insufficient_quota:no money"))[-1]["response"]["error"] == {
        "code": "insufficient_quota",
        "message": "no money",
    }


def test_a_client_that_leaves_is_noticed(stub, ask, connect):
    connection = connect()
    connection.request("POST", "/v1/responses", json.dumps({"input": "gate:nobody-opens:text"}))
    with closing(connection.getresponse()) as response:
        response.read(10)
    connection.close()
    for _ in range(500):
        if any(entry.get("closed") == "gate:nobody-opens:text" for entry in stub.requests()):
            return
        ask("say:another").read()
    pytest.fail("the stub did not notice that its client left")


def test_a_websocket_is_declined(connect):
    connection = connect()
    connection.request("GET", "/v1/responses", headers={"Upgrade": "websocket", "Connection": "Upgrade"})
    with closing(connection.getresponse()) as response:
        assert response.status == 426


def test_steps_follow_the_outputs_of_tools():
    script = user("exec:ls;;exec:pwd;;say:done")
    output = {"type": "function_call_output", "call_id": "c", "output": "x"}
    plans = [plan({"input": [user("say:old"), output, script, *[output] * done]}) for done in range(4)]
    assert plans == ["exec:ls", "exec:pwd", "say:done", "say:(script over)"]


def test_what_the_program_says_itself_is_no_script():
    assert plan({"input": [user("say:mine"), user("<environment_context>"), user("# AGENTS.md says")]}) == "say:mine"


def test_a_script_may_stand_below_other_lines():
    assert plan({"input": [user("From: user\n\nexec:ls\n-l;;say:done")]}) == "exec:ls\n-l"


def test_text_that_is_no_script_is_said_back():
    assert answer(plan({"input": "good: morning"}), {}).items == ("stub: good: morning",)


def test_a_command_is_called_with_the_shell_that_is_offered():
    call = {"tools": [{"type": "namespace", "name": "functions", "tools": [{"name": "exec_command"}]}]}
    (item,) = answer("esc:ls", call).items
    assert (item["name"], item["namespace"]) == ("exec_command", "functions")
    assert json.loads(item["arguments"])["sandbox_permissions"] == "require_escalated"


def test_a_patch_is_made_with_the_tool_that_is_offered():
    (item,) = answer("patch:a.txt|one", {"tools": [{"type": "custom", "name": "apply_patch"}]}).items
    assert item["type"] == "custom_tool_call"
    assert "*** Add File: a.txt\n+one\n" in item["input"]


def test_recall_says_what_the_last_tool_put_out():
    outputs = [
        {"type": "function_call_output", "call_id": str(n), "output": out}
        for n, out in enumerate(("a", [{"type": "input_text", "text": "b"}]))
    ]
    call = {"input": [user("tool:x|{};;tool:x|{};;recall:it said"), *outputs]}
    assert answer(plan(call), call).items == ("it said b",)
