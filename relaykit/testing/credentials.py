"""What holds for every credential store."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from pathlib import Path
from typing import Any, ClassVar

import anyio
import pytest

from relaykit.errors import CredentialError
from relaykit.model import Secret
from relaykit.plugin import Context, CredentialStore
from relaykit.registry import CREDENTIAL_STORE, Registry
from relaykit.testing.clock import VirtualClock
from relaykit.testing.component import ComponentSuite
from relaykit.testing.contexts import make_context
from relaykit.testing.credential_abilities import CredentialAbilities

STRANGE = ("", " ", "no such", "../../etc/passwd", "a\nb", "a\0b", "a=b", "é", "x" * 100_000)
"""What is no name of a credential."""


@pytest.mark.anyio
class CredentialStoreSuite(ComponentSuite[CredentialStore], CredentialAbilities):
    """Checks that hold for every credential store; those of an ability that it lacks are skipped.

    Override the ``stored`` fixture so that the store holds what it returns.
    """

    kind = CREDENTIAL_STORE
    made_up: ClassVar[Mapping[str, str]] = {"dock": "sesame-open-1", "dock-main": "sesame-open-2"}
    """Names and values to be stored for the test."""

    @pytest.fixture
    def clock(self) -> VirtualClock:
        """Time that the test makes."""
        return VirtualClock()

    @pytest.fixture
    def context(self, tmp_path: Path, clock: VirtualClock) -> Context:
        """What the store is lent."""
        return make_context(tmp_path, name="credentials", clock=clock)

    @pytest.fixture
    def stored(self) -> Mapping[str, str]:
        """Put ``made_up`` into the store, and return it."""
        raise NotImplementedError("override the fixture 'stored': it fills the store")

    @pytest.fixture
    async def store(
        self,
        registry: Registry,
        context: Context,
        opening_options: Mapping[str, Any],
        stored: Mapping[str, str],
    ) -> AsyncIterator[CredentialStore]:
        """The store, open and filled."""
        assert stored, "the test needs secrets"
        with anyio.fail_after(5):
            async with registry.open(CREDENTIAL_STORE, self.component, opening_options, context) as store:
                yield store

    async def test_it_gives_back_what_was_stored(self, store: CredentialStore, stored: Mapping[str, str]) -> None:
        """Each secret comes back whole, and wrapped."""
        for name, value in stored.items():
            assert await store.get(name) == Secret(value)

    async def test_it_lists_the_names_sorted(self, store: CredentialStore, stored: Mapping[str, str]) -> None:
        """And never a value."""
        names = list(await store.names())
        assert names == sorted(names)
        assert set(stored) <= set(names)
        assert not set(stored.values()) & set(names)

    async def test_an_unknown_name_is_an_error_that_names_it(self, store: CredentialStore) -> None:
        """The message says which one is missing."""
        with pytest.raises(CredentialError, match="no-such-credential"):
            await store.get("no-such-credential")

    @pytest.mark.parametrize("name", STRANGE, ids=lambda name: ascii(name[:20]))
    async def test_what_is_no_name_is_refused(self, store: CredentialStore, name: str) -> None:
        """Names come from configurations and command lines."""
        with pytest.raises(CredentialError):
            await store.get(name)

    async def test_no_secret_is_in_a_repr_or_an_error(self, store: CredentialStore, stored: Mapping[str, str]) -> None:
        """Both end up in logs."""
        said = [repr(store), *[repr(await store.get(name)) for name in stored]]
        for value in stored.values():
            with pytest.raises(CredentialError) as caught:
                await store.get(f"{value}!")  # a secret where its name belongs, which is an everyday mistake
            said.append(str(caught.value))
        assert not [text for text in said if any(value in text for value in stored.values())]
