"""The credential store ``keyring``, over the real library with a keyring in memory."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from typing import ClassVar

import keyring
import pytest
from keyring.backend import KeyringBackend
from keyring.backends.fail import Keyring as NoKeyring
from keyring.errors import KeyringLocked, PasswordDeleteError

from relaykit.builtin.keyring_credentials import open_keyring_credentials
from relaykit.builtin.keyring_index import KeyringIndex
from relaykit.errors import CredentialError
from relaykit.model import Credential, Secret
from relaykit.testing import CredentialStoreSuite
from relaykit.testing.contexts import make_context


class MemoryKeyring(KeyringBackend):
    """A keyring as the library wants one."""

    priority = 1

    def __init__(self) -> None:
        super().__init__()
        self.entries: dict[tuple[str, str], str] = {}
        self.locked = False

    def get_password(self, service: str, username: str) -> str | None:
        if self.locked:
            raise KeyringLocked("sesame")
        return self.entries.get((service, username))

    def set_password(self, service: str, username: str, password: str) -> None:
        self.entries[service, username] = password

    def delete_password(self, service: str, username: str) -> None:
        if (service, username) not in self.entries:
            raise PasswordDeleteError
        del self.entries[service, username]


@pytest.fixture
def ring() -> Iterator[MemoryKeyring]:
    before = keyring.get_keyring()
    ring = MemoryKeyring()
    keyring.set_keyring(ring)
    yield ring
    keyring.set_keyring(before)


class TestKeyringCredentials(CredentialStoreSuite):
    plugin = "relaykit.builtin.hooks"
    component = "keyring"
    bad_options: ClassVar = {"service": ""}

    @pytest.fixture(autouse=True)
    def _ring(self, ring):
        pass

    @pytest.fixture
    async def store(self, registry, context, opening_options):
        async with registry.open(self.kind, self.component, opening_options, context) as store:
            yield store

    @pytest.fixture
    async def stored(self, store):
        for name, value in self.made_up.items():
            await store.change(name, lambda _, value=value: Credential(secret=Secret(value)))
        return self.made_up


class TestKeyringCredentialsOfAnotherService(TestKeyringCredentials):
    options: ClassVar = {"service": "relaykit-two"}

    async def test_the_entries_bear_its_name(self, ring, stored):
        assert {service for service, _ in ring.entries} == {"relaykit-two"}


@pytest.mark.anyio
async def test_a_name_that_a_crash_left_without_its_secret_is_passed_over_and_can_be_set(tmp_path, ring):
    context = make_context(tmp_path)
    KeyringIndex(context.home).write({"half"})
    async with open_keyring_credentials({}, context) as store:
        assert await store.names() == []
        await store.change("half", lambda _: Credential(secret=Secret("whole")))
        assert await store.names() == ["half"]


@pytest.mark.anyio
async def test_a_keyring_that_refuses_is_said_in_one_line_without_what_it_said(tmp_path, ring):
    async with open_keyring_credentials({}, make_context(tmp_path)) as store:
        ring.locked = True
        with pytest.raises(CredentialError, match=r"refuses \(KeyringLocked\); unlock it") as caught:
            await store.get("dock")
        assert "sesame" not in str(caught.value)


@pytest.mark.anyio
async def test_a_machine_without_a_keyring_is_told_what_to_use(tmp_path, ring):
    keyring.set_keyring(NoKeyring())
    with pytest.raises(CredentialError, match="use the store 'file'"):
        async with open_keyring_credentials({}, make_context(tmp_path)):
            pass


@pytest.mark.anyio
async def test_without_the_library_there_is_one_line_with_what_to_install(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "keyring", None)
    with pytest.raises(CredentialError, match=r'pip install "relaykit\[keyring\]"'):
        async with open_keyring_credentials({}, make_context(tmp_path)):
            pass
