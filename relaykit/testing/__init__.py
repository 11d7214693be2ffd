"""Conformance suites, fakes and model stubs: what relaykit is tested with, for plugin authors too."""

from __future__ import annotations

import sys

from relaykit.lazily import lazily

_SUITES = {
    "CredentialStoreSuite": "credentials",
    "MailboxSuite": "mailbox",
    "ProviderSuite": "provider",
    "RouterSuite": "router",
    "SessionStoreSuite": "sessions",
    "StatusSinkSuite": "sink",
    "TransportSuite": "transport",
}
"""Every suite with the module that it is in."""
_ASSERTING = (
    "component",
    "credential_abilities",
    "credentials",
    "mailbox_agents",
    "mailbox_bench",
    "mailbox_chain",
    "mailbox_leases",
    "mailbox_letters",
    "mailbox_orders",
    "mailbox_recall",
    "mailbox_retention",
    "provider",
    "provider_abilities",
    "provider_bench",
    "provider_ends",
    "provider_turns",
    "router",
    "sessions",
    "sink",
    "transport",
)

if "pytest" in sys.modules:
    # So that a check that fails says what it saw.
    sys.modules["pytest"].register_assert_rewrite(*(f"{__name__}.{module}" for module in _ASSERTING))

__all__ = [*_SUITES]  # noqa: PLE0604 - strings they are

# The fakes need no pytest.
__getattr__ = lazily(__name__, {module: (suite,) for suite, module in _SUITES.items()})
