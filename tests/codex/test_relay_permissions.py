"""Permission requests of the real codex, shown and decided by the command line."""

from __future__ import annotations

import pytest

pytestmark = pytest.mark.live


@pytest.fixture
def outside(house):
    """A file beyond the workspace."""
    return house.codex_home / "outside.txt"


@pytest.mark.parity("AR-9", "N-4")
def test_a_command_waits_for_a_person_is_approved_and_a_second_decision_is_too_late(house, outside):
    with house.run():
        sent = house.send("main", f"esc:touch {outside};;say:made it")
        request = house.asked()
        assert (request["agent"], request["action"], request["title"]) == ("main", "command", f"touch {outside}")
        assert house.program.status("main", reason="permission")["kind"] == "busy"
        assert f"touch {outside}" in house.program("permissions").out
        assert not outside.exists()
        assert house.program("approve", request["id"][:8]).out == f"approved: main, touch {outside}\n"
        late = house.program("deny", request["id"])
        assert (late.code, late.out) == (4, "")
        assert "closed" in late.err
        assert house.ended(sent)["state"] == "answered"
        assert house.program("permissions", "--json").json == {"permissions": []}
    assert outside.exists()


@pytest.mark.parity("AR-9")
def test_a_command_that_is_denied_is_not_run_and_the_turn_goes_on(house, outside):
    with house.run():
        sent = house.send("main", f"esc:touch {outside};;say:then not")
        assert house.program("deny", house.asked()["id"], "--reason", "Not outside.").code == 0
        assert house.ended(sent)["state"] == "answered"
        assert house.program("inbox").out.endswith("    then not\n")
        (request,) = house.program("permissions", "--all", "--json").json["permissions"]
        assert (request["decision"], request["reason"]) == ("deny", "Not outside.")
    assert not outside.exists()


@pytest.mark.parity("AR-9")
def test_an_abort_ends_the_turn_and_the_delivery_as_interrupted(house, outside):
    with house.run():
        sent = house.send("main", f"esc:touch {outside};;say:never said")
        assert house.program("deny", house.asked()["id"], "--abort").code == 0
        delivery = house.ended(sent)
        assert (delivery["state"], delivery["reason"]) == ("interrupted", "it was interrupted on request")
        assert house.program("send", "main", "say:next", "--wait", "20").out == "next\n"
    assert not outside.exists()


@pytest.mark.parity("AR-9")
def test_what_is_approved_for_the_session_is_asked_again_only_in_the_next_one(house, outside):
    with house.run():
        sent = house.send("main", f"esc:touch {outside};;say:once")
        assert house.program("approve", house.asked()["id"], "--session").code == 0
        house.ended(sent)
        outside.unlink()
        assert house.program("send", "main", f"esc:touch {outside};;say:twice", "--wait", "20").out == "twice\n"
        assert outside.exists()
        assert len(house.program("permissions", "--all", "--json").json["permissions"]) == 1
        assert house.program("restart", "main").code == 0
        house.send("main", f"esc:touch {outside};;say:thrice")
        assert house.asked()["title"] == f"touch {outside}"


@pytest.mark.parity("AR-9")
def test_a_file_change_is_asked_with_its_diff(house, outside):
    with house.run():
        sent = house.send("main", f"patch:{outside}|a new line;;say:changed")
        request = house.asked()
        assert (request["action"], request["title"]) == ("file_change", str(outside))
        assert "a new line" in house.program("permissions").out
        assert house.program("approve", request["id"]).code == 0
        assert house.ended(sent)["state"] == "answered"
    assert outside.read_text() == "a new line\n"


@pytest.mark.parity("AR-9")
@pytest.mark.parametrize(
    ("mode", "escalated", "inside"),
    [("auto", True, True), ("open", True, True), ("deny", False, True), ("read-only", False, False)],
)
def test_an_approval_mode_decides_by_itself(house, outside, mode, escalated, inside):
    note = house.workspace / "note.txt"
    with house.run(main={"approval": mode}):
        script = f"esc:touch {outside};;exec:touch {note};;say:tried both"
        assert house.program("send", "main", script, "--wait", "20").out == "tried both\n"
        requests = house.program("permissions", "--all", "--json").json["permissions"]
    assert (outside.exists(), note.exists()) == (escalated, inside)
    decided = {(request["decision"], request["decided_by"]) for request in requests}
    words = {"open": "auto"}.get(mode, mode)
    assert decided <= {("approve" if escalated else "deny", f"approval mode {words}")}
    assert decided or mode == "read-only"


@pytest.mark.parity("N-4", "AR-9")
def test_a_request_of_a_relay_that_was_killed_is_withdrawn_and_never_approved(house, outside):
    with house.run() as relay:
        sent = house.send("main", f"esc:touch {outside};;say:made it")
        request = house.asked()
        relay.kill()
        relay.wait(20)
    assert house.program("permissions", "--json").json["permissions"][0]["id"] == request["id"]
    with house.run():
        assert house.ended(sent)["state"] == "answered"
        late = house.program("approve", request["id"])
        assert late.code == 4
        (kept,) = house.program("permissions", "--all", "--json").json["permissions"]
    assert kept["state"] == "withdrawn"
    assert not outside.exists()
