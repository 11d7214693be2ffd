"""What was ordered of how an agent goes on, over what its configuration says: its model, its permission mode."""

from __future__ import annotations

from typing import TYPE_CHECKING

from relaykit.plugin import ChangesModel, ChangesPermissionMode

if TYPE_CHECKING:
    from relaykit.plugin import Session


class Overrides:
    """Hold for every life of an agent, until it is restarted by order or its relay ends."""

    def __init__(self) -> None:
        self._model: str | None = None
        self._permission_mode: str | None = None

    async def set_model(self, session: ChangesModel, model: str) -> None:
        """Have the session go on with a model, and those after it; ProviderError where it does not."""
        await session.set_model(model)
        self._model = model

    async def set_permission_mode(self, session: ChangesPermissionMode, mode: str) -> None:
        """Have the session go on in a permission mode, and those after it; ProviderError where it does not."""
        await session.set_permission_mode(mode)
        self._permission_mode = mode

    async def apply(self, session: Session) -> None:
        """Tell a session that was opened anew; ProviderError where it does not go on so."""
        if self._model is not None and isinstance(session, ChangesModel):
            await session.set_model(self._model)
        if self._permission_mode is not None and isinstance(session, ChangesPermissionMode):
            await session.set_permission_mode(self._permission_mode)

    def clear(self) -> None:
        """Let the configuration alone say how the agent goes on."""
        self._model = self._permission_mode = None
