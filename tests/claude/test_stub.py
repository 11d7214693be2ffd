from __future__ import annotations

import http.client
import json
import threading
from contextlib import ExitStack, closing

import pytest

from relaykit.testing.anthropic_steps import answer, plan
from relaykit.testing.anthropic_stub import running_stub


def user(*blocks):
    return {
        "role": "user",
        "content": [one if isinstance(one, dict) else {"type": "text", "text": one} for one in blocks],
    }


SAID = {"role": "assistant", "content": [{"type": "text", "text": "said"}]}
RESULT = {"type": "tool_result", "tool_use_id": "t", "content": "x"}


def events(response):
    return [json.loads(line[6:]) for line in response.read().decode().splitlines() if line.startswith("data: ")]


def text(told):
    return [event["delta"]["text"] for event in told if event.get("delta", {}).get("type") == "text_delta"]


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

        def ask(text, **more):
            connection = connect()
            call = {"model": "m", "stream": True, "messages": [user(text)], **more}
            connection.request("POST", "/v1/messages?beta=true", json.dumps(call))
            return open_responses.enter_context(closing(connection.getresponse()))

        yield ask


def test_a_text_is_streamed_in_pieces(ask):
    told = events(ask("say:hello there"))
    assert "".join(text(told)) == "hello there"
    assert [told[0]["type"], told[-1]["type"]] == ["message_start", "message_stop"]
    assert told[-2]["delta"]["stop_reason"] == "end_turn"


def test_a_text_comes_in_as_many_pieces_as_wanted(ask):
    assert text(events(ask("pieces:3:abcdef"))) == ["ab", "cd", "ef"]


def test_a_request_without_a_stream_gets_a_document(ask):
    assert json.loads(ask("say:whole", stream=False).read())["content"] == [{"type": "text", "text": "whole"}]


def test_the_request_is_logged(stub, ask):
    ask("say:logged").read()
    entry = stub.requests()[-1]
    assert (entry["step"], entry["body"]["model"]) == ("say:logged", "m")


def test_a_tool_is_called_with_its_input(ask):
    told = events(ask('tool:Read|{"file_path": "a"}'))
    assert told[1]["content_block"]["name"] == "Read"
    assert told[2]["delta"]["partial_json"] == '{"file_path": "a"}'
    assert told[-2]["delta"]["stop_reason"] == "tool_use"


def test_a_gate_holds_a_text_until_it_is_opened(stub, ask):
    response = ask("gate:held:first second")
    read = []
    reader = threading.Thread(target=lambda: read.append(events(response)))
    reader.start()
    reader.join(0.2)
    assert reader.is_alive()
    stub.open_gate("held")
    reader.join(10)
    assert read[0][-1]["type"] == "message_stop"


@pytest.mark.parametrize("status", [400, 401, 413, 429, 500, 529])
def test_an_http_error_is_answered(status, ask):
    response = ask(f"http:{status}")
    assert response.status == status
    assert json.loads(response.read())["type"] == "error"


def test_a_step_goes_wrong_only_as_often_as_it_says(ask):
    assert [ask("http:529:2").status for _ in range(3)] == [529, 529, 200]


def test_a_stream_that_is_cut_has_no_end(ask):
    with pytest.raises(http.client.IncompleteRead):
        ask("drop").read()


def test_an_error_inside_the_stream_says_what(ask):
    assert events(ask("failed:overloaded_error"))[-1]["error"]["type"] == "overloaded_error"


def test_tokens_are_counted(connect):
    connection = connect()
    connection.request("POST", "/v1/messages/count_tokens", json.dumps({"messages": []}))
    with closing(connection.getresponse()) as response:
        assert json.loads(response.read())["input_tokens"] > 0


def test_steps_follow_the_answers():
    script = user("exec:ls;;exec:pwd;;say:done")
    turn = [SAID, user(RESULT)]
    plans = [plan({"messages": [user("say:old"), SAID, script, *turn * done]}) for done in range(4)]
    assert plans == ["exec:ls", "exec:pwd", "say:done", "say:(script over)"]


def test_what_the_program_says_itself_is_no_script():
    joined = "The user sent a new message while you were working:\nsay:no\n\nAddress it."
    said = ["<system-reminder>say:no</system-reminder>", "[Request interrupted by user]", joined]
    system = {"role": "system", "content": "say:no"}
    assert plan({"messages": [user("say:mine", *said), system]}) == "say:mine"


def test_the_last_text_of_a_merged_message_is_the_script():
    assert plan({"messages": [user("say:cut off", "say:mine")]}) == "say:mine"


def test_a_script_may_stand_below_other_lines():
    assert plan({"messages": [user("From: user\n\nexec:ls\n-l;;say:done")]}) == "exec:ls\n-l"


def test_text_that_is_no_script_is_said_back():
    assert answer("good: morning").blocks == ("stub: good: morning",)


def test_a_subagent_gets_a_script_of_its_own():
    (use,) = answer("agent:exec:ls,,say:done").blocks
    assert (use["name"], use["input"]["prompt"], use["input"]["run_in_background"]) == (
        "Agent",
        "exec:ls;;say:done",
        False,
    )
