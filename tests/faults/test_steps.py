"""The relay is killed at every named step of a delivery; what is on disk then, and what the next relay makes of it."""

from __future__ import annotations

import signal
from pathlib import Path

import pytest

from relaykit.model import Attachment
from relaykit.relay.faultpoints import STEPS
from relaykit.storage.attachments import AttachmentFiles

pytestmark = [pytest.mark.faults, pytest.mark.parity("N-2")]

HANDED_OVER = {
    "leased": {"leased"},
    "submitted": {"leased"},
    "delivered": {"delivered", "seen"},  # steps that follow one another quickly are written together
    "seen": {"seen"},
    "ended": {"seen"},
}
"""Steps at which the provider may have the text, each with the states of which one is on disk then."""
# Slow enough that the steps of a turn are recorded while it runs.
ECHO = {"provider": "echo", "options": {"prefix": "", "delay": 0.15}}
EXEC = {"provider": "exec", "options": {"command": ["sh", "-c", "sleep 0.15; cat"]}}
FORGETFUL = {"echo": ECHO, "exec": EXEC}
QUICK = {"provider": "echo", "options": {"prefix": "", "delay": 0}}
SLOW = {
    "echo": {"provider": "echo", "options": {"delay": 600}},
    "exec": {"provider": "exec", "options": {"command": ["sleep", "600"]}},
}
CARRY_ON = "You were interrupted while working on message"


def notes(delivery):
    return " | ".join(step.note for step in delivery.steps)


def agent(settings, **more):
    return {**settings, "options": dict(settings["options"]), **more}


def fall(home, body, step):
    """Have a relay die at a step of a message's way; return the message's id."""
    relay = home.start(fault=step)
    message = home.send("a", body)
    relay.fell()
    return message


def goes_on(home, text="and on"):
    """See that the agent serves the next message."""
    (reply,) = home.ended(home.send("a", text)).replies
    assert reply.body.endswith("and on")


def test_of_a_turn_too_short_for_its_steps_to_be_recorded_nobody_takes_it_for_not_begun(homes):
    home = homes(a=agent(QUICK))
    message = fall(home, "hello", "ended")
    assert (home.delivery(message).state, home.trace(message).replies) == ("leased", ())
    home.start()
    (delivery,) = home.ended(message).deliveries
    assert (delivery.state, delivery.attempt, delivery.deaths) == ("unknown", 1, 1)
    goes_on(home)


@pytest.mark.parametrize("step", ["delivered", "seen", "settled"])
def test_the_steps_of_a_short_turn_stand_with_its_end(homes, step):
    home = homes(a=agent(QUICK))
    message = fall(home, "hello", step)
    delivery = home.delivery(message)
    assert [str(one.state) for one in delivery.steps] == ["queued", "leased", "delivered", "seen", "answered"]
    (reply,) = home.trace(message).replies
    assert reply.body == "hello"
    home.start()
    goes_on(home)


@pytest.mark.parametrize("step", HANDED_OVER)
@pytest.mark.parametrize("provider", FORGETFUL)
def test_what_a_provider_without_history_was_given_ends_unknown(homes, provider, step):
    home = homes(a=agent(FORGETFUL[provider]))
    message = fall(home, "hello", step)
    delivery = home.delivery(message)
    assert delivery.state in HANDED_OVER[step]
    assert (delivery.attempt, home.trace(message).replies) == (1, ())
    home.start()
    (delivery,) = home.ended(message).deliveries
    assert (delivery.state, delivery.attempt, delivery.deaths) == ("unknown", 1, 1)
    assert "attempt 1 | " in notes(delivery)
    assert "taken over from a process that died | it was handed over, then a process died" in notes(delivery)
    goes_on(home)


@pytest.mark.parity("AR-6")
@pytest.mark.parametrize("step", HANDED_OVER)
def test_a_task_is_where_its_delivery_is_whenever_the_relay_dies(homes, step):
    home = homes(a=agent(ECHO, on_interrupted="redeliver"))
    relay = home.start(fault=step)
    message = home.send("a", "hello", task="mend it")
    relay.fell()
    trace = home.trace(message)
    follows = {"leased": "claimed", "delivered": "claimed", "seen": "in progress"}[trace.deliveries[0].state]
    assert (trace.tasks[0].state, trace.tasks[0].agent) == (follows, "a")
    home.start()
    trace = home.ended(message)
    assert (trace.tasks[0].state, trace.tasks[0].turn) == ("done", trace.deliveries[0].turn)


@pytest.mark.parametrize("step", HANDED_OVER)
@pytest.mark.parametrize("provider", FORGETFUL)
def test_it_is_handed_over_again_where_the_agent_is_configured_so(homes, provider, step):
    home = homes(a=agent(FORGETFUL[provider], on_interrupted="redeliver"))
    message = fall(home, "hello", step)
    first = home.delivery(message).submission
    home.start()
    trace = home.ended(message)
    (delivery,), (reply,) = trace.deliveries, trace.replies
    assert (delivery.state, delivery.attempt, delivery.deaths, reply.body) == ("answered", 2, 1, "hello")
    assert delivery.submission not in (None, first)
    assert "taken over from a process that died" in notes(delivery)
    assert "on_interrupted says redeliver" in notes(delivery)


@pytest.mark.live
@pytest.mark.parametrize("step", HANDED_OVER)
def test_codex_ends_it_answered_and_begins_nothing_twice(homes, codex, told, step):
    home = homes(a=codex())
    body = f"exec:echo once >> {home.path.parent}/done;;say:finished"
    message = fall(home, body, step)
    assert home.delivery(message).state in HANDED_OVER[step]
    home.start()
    trace = home.ended(message)
    (delivery,), (reply,) = trace.deliveries, trace.replies
    # A death before the hand-over is none of the message's: only the history tells, until the hand-over is noted.
    forgiven = "no death of its own" in notes(delivery)
    assert (delivery.state, delivery.deaths) == ("answered", 0 if forgiven else 1)
    assert not forgiven or ("leased" in HANDED_OVER[step] and "history does not have it" in notes(delivery))
    assert "taken over from a process that died" in notes(delivery)
    said = told(str(home.path.parent))
    if CARRY_ON in said[-1]:
        assert (said.count(body), delivery.attempt) == (1, 2)
        assert message in said[-1]
        assert "its turn was cut off" in notes(delivery)
    elif delivery.attempt == 1:
        assert "read from its history" in delivery.reason
    else:
        assert "the provider's history does not have it" in notes(delivery)
    if CARRY_ON not in said[-1]:
        assert reply.body == "finished"
        assert (home.path.parent / "done").read_text() == "once\n"
    assert step != "leased" or "history does not have it" in notes(delivery)
    assert step != "ended" or delivery.attempt == 1
    goes_on(home, "say:and on")


@pytest.mark.parametrize("provider", [*FORGETFUL, pytest.param("codex", marks=pytest.mark.live)])
def test_what_is_settled_stays_as_it_is(homes, codex, provider):
    home = homes(a=codex() if provider == "codex" else agent(FORGETFUL[provider]))
    message = fall(home, "say:hello", "settled")
    before = home.ended(message)
    home.start()
    goes_on(home, "say:and on")
    assert home.ended(message) == before
    assert before.replies[0].body.endswith("hello")


@pytest.mark.parametrize("provider", [*FORGETFUL, pytest.param("codex", marks=pytest.mark.live)])
def test_what_was_put_is_there_and_answered(homes, codex, provider):
    settings = codex() if provider == "codex" else agent(FORGETFUL[provider])
    home = homes(a=agent(settings, prompt="say:hello"))
    home.start(fault="put").fell()
    (waiting,) = home.inbox("a")
    assert waiting.message.body == "say:hello"
    assert waiting.delivery.state in ("queued", "leased"), "the worker may have been as quick"
    home.configure(a=settings).start()
    (delivery,) = home.ended(waiting.message.id).deliveries
    assert delivery.state == "answered" or (waiting.delivery.state == "leased" and delivery.state == "unknown")


@pytest.mark.parametrize("provider", [*FORGETFUL, pytest.param("codex", marks=pytest.mark.live)])
def test_a_relay_that_dies_as_it_claims_leaves_the_queue_as_it_was(homes, codex, provider):
    home = homes(a=codex() if provider == "codex" else agent(FORGETFUL[provider]))
    home.start().stop()
    message = home.send("a", "say:hello")
    home.start(fault="claimed", ready=False).fell()
    assert home.delivery(message).state == "queued"
    home.start()
    (delivery,) = home.ended(message).deliveries
    assert (delivery.state, delivery.attempt, delivery.deaths) == ("answered", 1, 0)


@pytest.mark.parametrize("step", ["claimed", "recovered"])
@pytest.mark.parametrize("provider", [*FORGETFUL, pytest.param("codex", marks=pytest.mark.live)])
def test_recovery_that_is_killed_itself_is_taken_up_by_the_next(homes, codex, provider, step):
    home = homes(a=codex() if provider == "codex" else agent(FORGETFUL[provider]))
    # Longer than its steps wait to be noted: of a shorter one nothing would be left to recover.
    message = fall(home, "slow:1:hello", "seen")
    home.start(fault=step, ready=False).fell()
    home.start()
    (delivery,) = home.ended(message).deliveries
    assert delivery.state in ("unknown", "answered", "dead")
    assert (delivery.state == "dead") == (delivery.deaths == 2)
    goes_on(home, "say:and on")


@pytest.mark.parametrize("on_interrupted", ["continue", "redeliver"])
@pytest.mark.parametrize("provider", [*SLOW, pytest.param("codex", marks=pytest.mark.live)])
def test_a_turn_that_was_to_be_interrupted_is_not_run_again(homes, codex, told, provider, on_interrupted):
    settings = codex() if provider == "codex" else agent(SLOW[provider])
    home = homes(a=agent(settings, on_interrupted=on_interrupted))
    relay = home.start(fault="wished")
    message = home.send("a", "hang:600")
    home.reaches(message, "seen")
    home.order("a", "interrupt")
    relay.fell()
    assert (home.delivery(message).state, home.delivery(message).wish) == ("seen", "interrupt")
    home.start()
    (delivery,) = home.ended(message).deliveries
    assert (delivery.state, delivery.attempt) == ("interrupted", 1)
    assert "to be ended: interrupt" in notes(delivery)


@pytest.mark.live
@pytest.mark.parametrize(("step", "approval"), [("asked", "ask"), ("decided", "auto")])
def test_a_question_that_a_dead_relay_left_is_closed_and_the_turn_gone_on_with(homes, codex, told, step, approval):
    home = homes(a=codex(approval=approval))
    body = f"esc:echo once >> {home.path.parent}/done;;say:finished"
    message = fall(home, body, step)
    (request,) = home.requests()
    assert request.state == {"asked": "open", "decided": "decided"}[step]
    home.start()
    trace = home.ended(message)
    assert (trace.deliveries[0].state, trace.deliveries[0].attempt) == ("answered", 2)
    (request,) = home.requests()
    assert request.state == {"asked": "withdrawn", "decided": "decided"}[step]
    late = home.command("approve", request.id)
    assert (late.returncode, request.state in late.stderr or "approve by" in late.stderr) == (4, True), late
    said = told(str(home.path.parent))
    assert said.count(body) == 1
    assert CARRY_ON in said[-1]


@pytest.mark.parametrize("provider", [*SLOW, pytest.param("codex", marks=pytest.mark.live)])
def test_a_relay_that_is_killed_as_it_begins_to_stop_died_like_any_other(homes, codex, provider):
    home = homes(a=codex() if provider == "codex" else agent(SLOW[provider]))
    relay = home.start(fault="stopping")
    message = home.send("a", "hang:600")
    home.reaches(message, "seen")
    relay.send_signal(signal.SIGTERM)
    relay.fell()
    assert home.delivery(message).state == "seen"
    home.start()
    (delivery,) = home.ended(message).deliveries
    assert (delivery.state, delivery.deaths) == ("answered" if provider == "codex" else "unknown", 1)


@pytest.mark.live
def test_a_session_that_was_cleared_does_not_come_back_when_the_relay_dies_over_it(homes, codex, told):
    home = homes(a=codex())
    relay = home.start(fault="cleared")
    home.ended(home.send("a", "say:remember the word"))
    before = home.agent("a").session
    home.order("a", "clear")
    relay.fell()
    assert home.agent("a").session is None
    home.start()
    home.ended(home.send("a", "say:and now"))
    assert home.agent("a").session not in (None, before)
    assert told("and now") != []
    assert "remember the word" not in "".join(told("and now"))


@pytest.mark.parity("AR-13")
def test_a_file_is_there_whole_when_the_relay_died_while_it_was_fetched(homes):
    home = homes(a=agent(EXEC, on_interrupted="redeliver"))
    digest = AttachmentFiles(home.path).keep(b"what is in it")
    relay = home.start(fault="fetched")
    about = Attachment(name="log.txt", media_type="text/plain", size=13, sha256=digest)
    message = home.send("a", "hello", attachments=(about,))
    relay.fell()
    home.start()
    (reply,) = home.ended(message).replies
    path = Path(reply.body.rstrip().removesuffix("]").rpartition("bytes): ")[2])
    assert path.read_bytes() == b"what is in it"


def test_every_step_is_killed_at():
    killed_at = {
        *HANDED_OVER,
        "settled",
        "put",
        "claimed",
        "recovered",
        "wished",
        "asked",
        "decided",
        "stopping",
        "cleared",
        "fetched",
    }
    assert killed_at == set(STEPS)
