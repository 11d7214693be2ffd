"""Endpoints: what of that which agents name is called, and what never is."""

from __future__ import annotations

import pytest

from relaykit_signaldock.dock.endpoints import Reach, UnreachableError, check, is_public, resolved
from relaykit_signaldock.dock.envelope import WireError

pytestmark = pytest.mark.parity("CR-11")


@pytest.mark.parametrize(
    ("url", "reach", "why"),
    [
        ("https://example.org/hook", Reach.OFF, "calls none"),
        ("http://example.org/hook", Reach.PUBLIC, "https://"),
        ("ftp://example.org/hook", Reach.LOCAL, "https://"),
        ("https:///hook", Reach.PUBLIC, "name a host"),
        ("https://user:word@example.org/", Reach.PUBLIC, "neither a user"),
        ("https://127.0.0.1/hook", Reach.PUBLIC, "not a public address"),
        ("https://10.0.0.1/hook", Reach.PUBLIC, "not a public address"),
        ("https://[::1]/hook", Reach.PUBLIC, "not a public address"),
        ("https://169.254.169.254/latest", Reach.PUBLIC, "not a public address"),
        ("https://[::ffff:10.0.0.1]/", Reach.PUBLIC, "not a public address"),
        ("no url at all", Reach.LOCAL, "https://"),
        ("https://1.1.1.1:99999/", Reach.PUBLIC, "no port 99999; ports are numbers from 1 to 65535"),
        ("https://1.1.1.1:0/", Reach.PUBLIC, "no port 0"),
        ("https://example.org:-1/", Reach.LOCAL, "no port -1"),
        ("https://xn--a/", Reach.PUBLIC, "no URL"),
        ("https://[::ffff:100.64.0.1]/", Reach.PUBLIC, "not a public address"),
    ],
)
def test_an_endpoint_that_may_not_be_called_is_refused_when_it_is_named(url, reach, why):
    with pytest.raises(WireError, match=why):
        check(url, reach)


@pytest.mark.anyio
async def test_a_name_is_looked_at_again_when_it_is_called():
    check("https://localhost/hook", Reach.PUBLIC)
    with pytest.raises(UnreachableError, match="not a public address"):
        await resolved("https://localhost/hook", Reach.PUBLIC)
    place = await resolved("http://localhost:81/hook", Reach.LOCAL)
    assert (place.request_url.port, place.request_url.path, place.url.host) == (81, "/hook", "localhost")
    assert place.request_url.host in ("127.0.0.1", "::1")


@pytest.mark.parametrize(
    ("address", "public"),
    [
        ("1.1.1.1", True),
        ("100.64.0.1", False),
        ("224.0.0.1", False),
        ("2606:4700::1111", True),
        ("::ffff:1.1.1.1", True),
        ("::ffff:100.64.0.1", False),
        ("::ffff:127.0.0.1", False),
        ("64:ff9b::101:101", True),
        ("64:ff9b::a9fe:a9fe", False),
        ("64:ff9b::7f00:1", False),
        ("64:ff9b:1::101:101", False),
        ("2002:101:101::", True),
        ("2002:7f00:1::", False),
        ("2002:a00:1::1", False),
        ("::7f00:1", False),
        ("::ffff:0:7f00:1", False),
        ("fec0::1", False),
        ("fe80::1%lo", False),
        ("ff0e::1", False),
    ],
)
def test_an_address_is_public_if_what_is_called_in_the_end_is(address, public):
    assert is_public(address) is public
