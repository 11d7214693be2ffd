"""Who a message reaches: one agent, a group, any of a group; and who refuses."""

from __future__ import annotations

import pytest

pytestmark = pytest.mark.parity("AR-4")


@pytest.fixture
def team(site, echo):
    agents = {
        "reviewer": {**echo, "label": "lead", "tags": ["core", "review"], "capabilities": ["python"]},
        "tester": {**echo, "tags": ["core"], "capabilities": ["python", "browser"]},
        "aloof": {**echo, "label": "chief", "tags": ["core"], "capabilities": ["python"], "profile": "alone"},
        "private": {**echo, "tags": ["secret"], "profile": "mine"},
    }
    profiles = {"alone": {"in_groups": False}, "mine": {"reachable_by": ["anna", "reviewer"]}}
    with site.run(profiles, **agents):
        yield site


@pytest.mark.parametrize(
    ("address", "reached"),
    [
        ("tester", {"tester"}),
        ("label:lead", {"reviewer"}),
        ("tag:core", {"reviewer", "tester"}),
        ("tag:review", {"reviewer"}),
        ("cap:browser", {"tester"}),
        ("cap:python", {"reviewer", "tester"}),
    ],
)
def test_an_address_reaches_everyone_that_it_means_and_nobody_else(team, address, reached):
    ended = team.ended(team.send(address, "Hello."))
    assert {name: delivery["state"] for name, delivery in ended.items()} == dict.fromkeys(reached, "answered")


def test_a_broadcast_reaches_all_but_those_that_refuse_it(team):
    ended = team.ended(team.send("broadcast", "Hello.", "--from", "anna"))
    assert {name: delivery["state"] for name, delivery in ended.items()} == {
        "reviewer": "answered",
        "tester": "answered",
        "private": "answered",
    }


def test_any_of_a_group_is_one_delivery(team):
    (delivery,) = team.ended(team.send("any:tag:core", "Hello.")).values()
    assert delivery["recipient"] in ("reviewer", "tester")


def test_a_profile_that_refuses_groups_is_reached_by_name_and_by_label(team):
    for address in ("aloof", "label:chief"):
        assert team.ended(team.send(address, "Hello."))["aloof"]["state"] == "answered"


def test_a_profile_says_who_may_send(team):
    assert team.program("send", "private", "Hello.", "--from", "anna", "--wait", "20").code == 0
    refused = team.program("send", "private", "Hello.")
    assert (refused.code, refused.out) == (4, "")
    assert "user may not send to private" in refused.err


@pytest.mark.parametrize("address", ["tag:nothing", "cap:nothing", "label:nobody", "any:tag:nothing", "nobody"])
def test_an_address_that_means_nobody_is_refused(team, address):
    refused = team.program("send", address, "Hello.")
    assert (refused.code, refused.out) == (4, "")
    assert address.rpartition(":")[2] in refused.err
