"""The credential store ``env``."""

from __future__ import annotations

from typing import ClassVar

import pytest

from relaykit.builtin.env_credentials import EnvCredentials
from relaykit.errors import CredentialError
from relaykit.model import Secret
from relaykit.testing import CredentialStoreSuite


class TestEnvCredentials(CredentialStoreSuite):
    plugin = "relaykit.builtin.hooks"
    component = "env"
    bad_options: ClassVar = {"prefix": "1 2"}

    @pytest.fixture
    def stored(self, monkeypatch):
        for name, value in self.made_up.items():
            monkeypatch.setenv("RELAYKIT_CREDENTIAL_" + name.upper().replace("-", "_"), value)
        return self.made_up


class TestEnvCredentialsWithPrefix(TestEnvCredentials):
    options: ClassVar = {"prefix": "TEAM_"}

    @pytest.fixture
    def stored(self, monkeypatch):
        for name, value in self.made_up.items():
            monkeypatch.setenv("TEAM_" + name.upper().replace("-", "_"), value)
        return self.made_up


@pytest.mark.anyio
async def test_the_error_names_the_variable():
    with pytest.raises(CredentialError, match="RELAYKIT_CREDENTIAL_DOCK_A_B is not set"):
        await EnvCredentials(environ={}).get("dock-a.b")


@pytest.mark.anyio
async def test_an_empty_variable_is_no_secret():
    store = EnvCredentials(environ={"RELAYKIT_CREDENTIAL_DOCK": ""})
    with pytest.raises(CredentialError, match="RELAYKIT_CREDENTIAL_DOCK is empty"):
        await store.get("dock")
    assert await store.names() == []


@pytest.mark.anyio
async def test_a_variable_is_read_anew_each_time():
    environ = {"RELAYKIT_CREDENTIAL_DOCK": "old"}
    store = EnvCredentials(environ=environ)
    environ["RELAYKIT_CREDENTIAL_DOCK"] = "new"
    assert await store.get("dock") == Secret("new")
