"""A profile on its way to a session: secrets fetched, files written, and said what could not be done."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial

import anyio
from msgspec.structs import replace

from relaykit.errors import CredentialError, ProviderError
from relaykit.model import CredentialName, Fault, Projection, ProjectionState, ProviderNote, Secret, Value, Whose
from relaykit.plugin import Credentials, SessionRequest
from relaykit.relay.workspace import write_files


class ProfileProjector:
    """Sees to one agent's profile each time that its session is opened."""

    def __init__(self, report: Sequence[Projection], credentials: Credentials) -> None:
        self.report = report
        """What its provider makes of it."""
        self.credentials = credentials
        self.told = False
        self.troubles: list[str] = []

    async def prepare(self, request: SessionRequest) -> SessionRequest:
        """Write the profile's files and return the request with its secrets and its environment.

        Raises:
            ProviderError: A credential that it names cannot be had; the fault is the agent's.
        """
        profile = request.profile
        if profile is None:
            return request
        self.troubles = await anyio.to_thread.run_sync(partial(write_files, request.cwd, profile.files))
        secrets = {name: await self._secret(name) for name in sorted(profile.credentials)}
        env = {name: _revealed(value, secrets) for name, value in profile.env.items()}
        return replace(request, secrets=secrets, env={**env, **request.env})

    @property
    def shortfalls(self) -> list[str]:
        """What of the profile is not, or not wholly, as it says; one line each."""
        known = [f"{one.item}: {one.how}" for one in self.report if one.state is not ProjectionState.PROJECTED]
        return [*known, *self.troubles]

    def note(self, profile: str) -> ProviderNote:
        """Return what is recorded of it in the session's events."""
        items = [{"item": one.item, "state": str(one.state), "how": one.how} for one in self.report]
        return ProviderNote(name="profile", data={"profile": profile, "items": items, "troubles": list(self.troubles)})

    async def _secret(self, name: str) -> Secret:
        try:
            return await self.credentials.get(name)
        except CredentialError as error:
            raise ProviderError(Fault(whose=Whose.AGENT, code="credential", message=str(error))) from error


def _revealed(value: Value, secrets: Mapping[str, Secret]) -> str:
    return secrets[value.name].reveal() if isinstance(value, CredentialName) else value
