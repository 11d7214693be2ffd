"""The conformance suite of providers: subclass it, name your component, run pytest.

class TestParrot(ProviderSuite):
    plugin = "relaykit_parrot"
    provider = "parrot"
    bad_options = {"delay": -1}
    long_options = {"delay": 3600}
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, ClassVar

import pytest

from relaykit.plugin import Context, Provider, SessionRequest
from relaykit.registry import PROVIDER, Registry
from relaykit.testing.component import ComponentSuite
from relaykit.testing.provider_abilities import AbilityChecks
from relaykit.testing.provider_bench import ProviderBench
from relaykit.testing.provider_changes import ChangeChecks
from relaykit.testing.provider_ends import EndChecks
from relaykit.testing.provider_profiles import ProfileChecks
from relaykit.testing.provider_turns import TurnChecks


class ProviderSuite(TurnChecks, EndChecks, AbilityChecks, ChangeChecks, ProfileChecks, ComponentSuite[Provider]):
    """Checks that hold for every provider, whatever stands behind it.

    A known gap is marked on the one method; what is only known at run time comes from overridden fixtures.

    Attributes:
        plugin: The module that the entry point names.
        provider: The provider's name.
        options: Options to open it with.
        bad_options: Options that must be refused.
        text: What is said in a turn that ends well, with some text in answer.
        long_text: What is said in a turn that lasts until it is interrupted.
        long_options: Options with which every turn lasts until it is interrupted. Give this or ``long_text``.
        asking_text: What is said in a turn that asks for permission once, and then ends well if it gets it.
        other_model: A model to go on with; any name, where the provider does not look at it.
        unread_turns: How many turns run while nobody reads.
        patience: Seconds that one check may take.
        secrets: Credentials that the options name, with values made up for the test.
    """

    provider: ClassVar[str]
    kind = PROVIDER
    text: ClassVar[str] = "hello"
    long_text: ClassVar[str | None] = None
    long_options: ClassVar[Mapping[str, Any] | None] = None
    asking_text: ClassVar[str | None] = None
    other_model: ClassVar[str] = "another-model"
    unread_turns: ClassVar[int] = 100
    patience: ClassVar[float] = 20.0

    def __init_subclass__(cls) -> None:
        """Take the component's name from ``provider``."""
        super().__init_subclass__()
        if hasattr(cls, "provider"):
            cls.component = cls.provider

    @pytest.fixture
    def request_for_session(self, tmp_path: Path) -> SessionRequest:
        """What sessions are opened for."""
        cwd = tmp_path / "workspace"
        cwd.mkdir()
        return SessionRequest(agent="conformance", cwd=cwd)

    @pytest.fixture
    def bench(
        self,
        registry: Registry,
        context: Context,
        opening_options: Mapping[str, Any],
        request_for_session: SessionRequest,
    ) -> ProviderBench:
        """The provider, ready to be tried."""
        return ProviderBench(
            registry=registry,
            name=self.provider,
            options=opening_options,
            context=context,
            request=request_for_session,
            patience=self.patience,
        )

    @pytest.fixture
    def long_bench(self, bench: ProviderBench) -> ProviderBench:
        """The provider with turns that last."""
        return bench if self.long_options is None else bench.with_options(self.long_options)

    def secrets_to_hide(self) -> dict[str, str]:
        """Return what must not be shown, by name."""
        return dict(self.secrets)
