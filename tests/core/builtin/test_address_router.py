"""The router ``address``, and a plugin's router with a table beside it."""

from __future__ import annotations

from typing import ClassVar

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from relaykit.builtin.routing import AddressRouter
from relaykit.errors import RefusedError, UnknownAddressError, UsageError
from relaykit.model import AddressKind, parse_address
from relaykit.plugin import Route, find_route
from relaykit.testing import RouterSuite
from relaykit.testing.directory import MadeUpDirectory, make_agent


@pytest.mark.parity("AR-4")
class TestAddressRouter(RouterSuite):
    plugin = "relaykit.builtin.hooks"
    component = "address"
    bad_options: ClassVar = {"anything": 1}
    known: ClassVar = {
        "reviewer": ("reviewer",),
        "main": ("main",),
        "user": ("user",),
        "ann": ("ann",),
        "label:critic": ("reviewer", "second"),
        "tag:core": ("reviewer", "tester"),
        "cap:write": ("second",),
        "broadcast": ("reviewer", "second", "tester"),
        "any:tag:core": ("reviewer", "tester"),
        "any:label:critic": ("reviewer", "second"),
        "any:cap:read": ("reviewer", "second"),
        "reviewer@dock": ("reviewer@dock",),
    }
    unknown = ("nobody", "label:boss", "tag:nothing", "cap:plan", "any:label:boss")


class Rota:
    """Knows who is on duty."""

    def __init__(self, **table: str) -> None:
        self._table = table

    def route(self, address, sender, directory):
        return Route(recipients=(self._table[address],)) if address in self._table else None


TWO = MadeUpDirectory(make_agent("main", tags=["core"]), make_agent("reviewer", tags=["core"]))


def test_a_pool_is_one_delivery_and_a_group_several():
    router = AddressRouter()
    assert router.route("any:tag:core", "user", TWO) == Route(recipients=("main", "reviewer"), pool=True)
    assert router.route("tag:core", "user", TWO) == Route(recipients=("main", "reviewer"), group=True)
    assert router.route("main", "user", TWO) == Route(recipients=("main",))


def test_an_agent_that_is_in_no_group_answers_to_its_name_and_its_label_alone():
    aloof = replace(make_agent("aloof", label="chief", tags=["core"], caps=["read"]), in_groups=False)
    directory = MadeUpDirectory(make_agent("main", tags=["core"]), aloof)
    for address, recipients in {
        "aloof": ("aloof",),
        "label:chief": ("aloof",),
        "any:label:chief": ("aloof",),
        "tag:core": ("main",),
        "any:tag:core": ("main",),
        "broadcast": ("main",),
    }.items():
        assert AddressRouter().route(address, "user", directory).recipients == recipients
    with pytest.raises(UnknownAddressError):
        AddressRouter().route("cap:read", "user", directory)


def test_a_misspelt_name_brings_the_near_one_and_the_list():
    with pytest.raises(
        UnknownAddressError, match=r"'reviwer'; did you mean 'reviewer'\? \(there are: main, reviewer\)"
    ):
        AddressRouter().route("reviwer", "main", TWO)


def test_a_misspelt_tag_brings_the_near_one():
    with pytest.raises(UnknownAddressError, match=r"no other agent answers to 'tag:coer'; did you mean 'core'\?"):
        AddressRouter().route("tag:coer", "main", TWO)


def test_a_long_directory_is_not_recited():
    many = MadeUpDirectory(*(make_agent(f"agent-{number}") for number in range(50)))
    with pytest.raises(UnknownAddressError) as caught:
        AddressRouter().route("zzz", "user", many)
    assert "agent-1" not in str(caught.value)


def test_where_no_agent_ever_ran_it_is_said_how_one_is_started():
    with pytest.raises(UnknownAddressError, match="no agent has run here yet, `relaykit run` starts one"):
        find_route([AddressRouter()], "reviewer", "user", MadeUpDirectory())


def test_a_table_is_asked_where_the_directory_has_nobody():
    routers = [AddressRouter(), Rota(oncall="reviewer", main="reviewer")]
    assert find_route(routers, "oncall", "user", TWO).recipients == ("reviewer",)
    assert find_route(routers, "main", "user", TWO).recipients == ("main",)


def test_where_no_router_knows_anybody_the_first_refusal_is_told():
    with pytest.raises(UnknownAddressError, match="nobody is called 'nobody'"):
        find_route([Rota(), AddressRouter()], "nobody", "user", TWO)
    with pytest.raises(UnknownAddressError, match="no router knows the address 'a b'"):
        find_route([AddressRouter(), Rota()], "a b", "user", TWO)


@pytest.mark.parametrize(
    ("answer", "wrong"),
    [
        ("reviewer", "str, which is no Route"),
        (Route(recipients=()), "a Route to nobody"),
        (Route(recipients=("main", "main")), "a Route that has somebody twice"),
    ],
)
def test_an_answer_that_is_none_is_refused_with_the_router_that_gave_it(answer, wrong):
    class Odd:
        def route(self, address, sender, directory):
            return answer

    with pytest.raises(RefusedError, match=rf"the router {__name__}\..*Odd answers 'x' with {wrong}"):
        find_route([Odd(), Rota(x="main")], "x", "user", TWO)


ADDRESSES = st.one_of(
    st.text(),
    st.builds(
        "".join, st.lists(st.sampled_from([":", "@", "any:", "tag:", "label:", "cap:", "broadcast", "a", ".", "\n"]))
    ),
)


@given(ADDRESSES)
def test_any_text_is_an_address_or_a_usage_error(text):
    try:
        address = parse_address(text)
    except UsageError:
        return
    assert address.kind in AddressKind
    assert bool(address.transport) == (address.kind is AddressKind.FOREIGN)
    assert bool(address.group) == (address.kind in (AddressKind.GROUP, AddressKind.ANY))


@given(ADDRESSES, ADDRESSES)
def test_any_text_is_routed_refused_or_left_to_others(text, sender):
    try:
        route = AddressRouter().route(text, sender, TWO)
    except UnknownAddressError:
        return
    assert route is None or route.recipients
