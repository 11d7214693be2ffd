"""What the dock says of its paths, against the dock: schemathesis makes requests that fit and requests that do not."""

from __future__ import annotations

import json
import os
import signal

import hypothesis
import pytest
import requests
import schemathesis
from hypothesis import strategies as st
from schemathesis import checks
from schemathesis.generation import GenerationMode

from relaykit.testing.program import Output, Program
from relaykit_signaldock.dock.openapi import openapi
from relaykit_signaldock.dock.routes import WAYS

EXAMPLES = int(os.environ.get("DOCK_EXAMPLES", "8"))
"""Requests of each kind for each path."""
checks.load_all_checks()
CHECKS = checks.CHECKS.get_by_names(
    [
        "not_a_server_error",
        "status_code_conformance",
        "content_type_conformance",
        "response_headers_conformance",
        "response_schema_conformance",
    ]
)
FITTING = [*CHECKS, *checks.CHECKS.get_by_names(["positive_data_acceptance"])]
DOCUMENT = {**openapi(WAYS), "security": []}  # the key is there each time: without it nothing would be looked at
OPERATIONS = {
    operation.label: operation
    for operation in (found.ok() for found in schemathesis.openapi.from_dict(DOCUMENT).get_all_operations())
    if operation.label != "GET /messages/stream"  # it does not end; its frames are in test_stream
}


@pytest.fixture(scope="module")
def dock(tmp_path_factory):
    """A dock with two agents, a conversation of three and a message; yields a session and the ids that there are."""
    directory = tmp_path_factory.mktemp("openapi")
    program = Program(home=directory / "home", cwd=directory)
    keys = {name: program("dock", "agents", "add", name, "--json").json["apiKey"] for name in ("alice", "bob", "carol")}
    words = ["--listen", "127.0.0.1:0", "--rate", "0", "--key-overlap", "86400", "--json"]  # keys are rotated, too
    with program.start("dock", "serve", *words) as process:
        url = json.loads(Output(process).line())["url"]
        with requests.Session() as session:
            session.headers["Authorization"] = f"Bearer {keys['alice']}"
            yield url, session, _made(url, session)
        process.send_signal(signal.SIGTERM)
        assert process.communicate(timeout=20)[1] == ""  # nothing failed unseen


def _made(url, session):
    def post(path, body):
        return session.post(f"{url}{path}", json=body, timeout=20).json()["data"]

    group = post("/conversations", {"participants": ["bob", "carol"]})["conversation"]["id"]
    message = post("/messages", {"toAgentId": "bob", "content": "hello @bob"})["message"]["id"]
    return {"agents": ["alice", "bob"], "conversations": [group], "messages": [message]}


UPLOAD = "PUT /attachments/{sha256}"


def _modes():
    for label, operation in OPERATIONS.items():
        yield label, GenerationMode.POSITIVE
        # Any text may stand in a path, and any bytes in a file.
        if (operation.body or operation.query) and label != UPLOAD:
            yield label, GenerationMode.NEGATIVE


@pytest.mark.parity("CR-11")
@pytest.mark.filterwarnings("ignore")  # those of libraries
@pytest.mark.parametrize(("label", "mode"), [*_modes()], ids=lambda value: getattr(value, "value", value))
def test_the_dock_answers_as_its_document_says(dock, label, mode):
    url, session, known = dock
    operation = OPERATIONS[label]
    ids = [] if label == "DELETE /agents/{id}" else known.get(operation.path.split("/")[1], [])

    @hypothesis.settings(
        max_examples=EXAMPLES,
        derandomize=True,
        database=None,
        deadline=None,
        suppress_health_check=list(hypothesis.HealthCheck),
        phases=[hypothesis.Phase.generate],
    )
    @hypothesis.given(case=operation.as_strategy(mode), id=st.sampled_from(["", *ids]))
    def ask(case, id):
        if id and "id" in (case.path_parameters or {}):
            case.path_parameters["id"] = id
        # That bytes fit the digest in the path is more than a schema can say.
        wanted = FITTING if mode is GenerationMode.POSITIVE and label != UPLOAD else CHECKS
        answer = case.call_and_validate(url, session=session, checks=wanted, timeout=20)
        assert answer.status_code not in {401, 429} or label == "POST /agents/{id}/bootstrap-key"

    ask()


@pytest.mark.parametrize(
    "raw",
    [
        b'"half \\ud800 of a character"',
        b'"half \xed\xa0\x80 of one"',
        b'"x", "metadata": {"n": NaN}',
        b'"x", "metadata": {"n": -1e999}',
        b'"x", "metadata": {"n": ' + b"[" * 100 + b"]" * 100 + b"}",
        b'"x", "metadata": {"n": "' + b"x" * 65536 + b'"}',
        b"[" * 100_000,
    ],
)
def test_what_could_be_stored_and_never_told_again_is_refused(dock, raw):
    url, session, _ = dock
    body = b'{"toAgentId": "alice", "content": ' + raw + b"}"
    answer = session.post(f"{url}/messages", data=body, timeout=20)
    assert (answer.status_code, answer.json()["error"]["category"]) == (400, "VALIDATION")
    whole = session.post(f"{url}/messages", data=b'{"toAgentId": "alice", "content": "\\ud83d\\ude00 1e9"}', timeout=20)
    assert whole.json()["data"]["message"]["content"] == "\N{GRINNING FACE} 1e9"
    assert session.get(f"{url}/messages/peek", timeout=20).status_code == 200


def test_a_path_has_one_spelling(dock):
    url, session, _ = dock
    assert session.get(f"{url}/agents/alice/", allow_redirects=False, timeout=20).status_code == 404
