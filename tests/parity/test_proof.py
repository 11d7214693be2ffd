"""Every message has an end with a reason, and a trace of every step with its time."""

from __future__ import annotations

import time

import pytest

pytestmark = pytest.mark.parity("N-1")


@pytest.mark.parametrize(
    ("body", "state", "reason", "code"),
    [
        ("hello", "answered", "the provider completed turn", 0),
        ("fail:turn", "failed", "it was told to fail:turn", 4),
        ("fail:message", "dead", "it was told to fail:message", 4),
    ],
)
def test_an_end_has_a_reason_and_every_step_its_time(site, echo, *, body, state, reason, code):
    began = time.time()
    with site.run(worker={**echo, "options": {"scripted": True}}):
        sent = site.program("send", "worker", body, "--wait", "20", "--json")
    assert (sent.code, sent.json["state"]) == (code, state)
    delivery = site.delivery(sent.json["id"])
    assert delivery["state"] == state
    assert delivery["reason"].startswith(reason)
    states = [step["state"] for step in delivery["steps"]]
    assert (states[:2], states[-1]) == (["queued", "leased"], state)
    times = [step["at"] for step in delivery["steps"]]
    assert times == sorted(times)
    assert began <= times[0] <= times[-1] <= time.time()
    shown = site.program("trace", sent.json["id"]).out
    assert f"to worker: {state}: {delivery['reason']}" in shown
    for step in delivery["steps"]:
        assert time.strftime("%H:%M:%S", time.localtime(step["at"])) in shown


def test_an_interrupted_a_cancelled_and_a_read_message_say_so_too(site, held):
    with site.run(worker=held), site.program.following() as events:
        running, queued = site.send("worker", "one"), site.send("worker", "two")
        events.until("turn_started")
        site.program("cancel", queued)
        site.program("interrupt", "worker")
        ends = {message: site.ended(message)["worker"] for message in (running, queued)}
    assert [(end["state"], end["reason"]) for end in ends.values()] == [
        ("interrupted", "it was interrupted on request"),
        ("cancelled", "cancelled while it was queued"),
    ]
    to_user = site.send("user", "Look.")
    assert site.delivery(to_user)["state"] == "queued"
    assert "Look." in site.program("inbox").out
    read = site.delivery(to_user)
    assert (read["state"], bool(read["reason"])) == ("acknowledged", True)


def test_a_member_of_a_group_that_refuses_has_an_end_of_its_own(site, echo):
    with site.run(
        {"mine": {"reachable_by": []}}, open={**echo, "tags": ["t"]}, shut={**echo, "tags": ["t"], "profile": "mine"}
    ):
        ends = site.ended(site.send("tag:t", "Hello."))
    assert {name: end["state"] for name, end in ends.items()} == {"open": "answered", "shut": "refused"}
    assert ends["shut"]["reason"] == "user may not send to shut"
