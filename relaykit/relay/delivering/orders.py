"""Commands that a session carries out: interrupt, steer, inject, compact, clear, another model or permission mode."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import anyio

from relaykit.errors import ProviderError
from relaykit.model import Command, CommandKind, CommandState, Fault, Mode, Whose, Wish, new_id
from relaykit.plugin import ChangesModel, ChangesPermissionMode, Compacts
from relaykit.relay.delivering.begun import Begun
from relaykit.relay.faultpoints import reached

if TYPE_CHECKING:
    from relaykit.relay.delivering.handover import HandOver
    from relaykit.relay.delivering.interruption import Interruption
    from relaykit.relay.delivering.state import WorkerState
    from relaykit.relay.delivering.statuses import StatusBoard

COMPACT_SECONDS = 600.0


class NotNowError(Exception):
    """The command has to wait: it is tried again until its time to be taken is over."""


class SessionOrders:
    """Carries out one agent's commands, in order; those that cannot be carried out yet wait, and others behind them.

    An interrupt waits behind none: what the others wait for is the end of the very turn that it ends.
    """

    def __init__(
        self,
        state: WorkerState,
        begun: Begun,
        *,
        hand_over: HandOver,
        interruption: Interruption,
        status: StatusBoard,
    ) -> None:
        self._state = state
        self._begun = begun
        self._hand_over = hand_over
        self._interruption = interruption
        self._status = status
        self._pending: list[Command] = []

    def give(self, commands: Sequence[Command]) -> None:
        """Take the commands that wait, in the place of those known before."""
        self._pending = list(commands)
        self._state.nudge.ring()

    async def carry_out(self) -> None:
        """Carry out what can be now."""
        for command in sorted(self._pending, key=lambda one: one.kind is not CommandKind.INTERRUPT):
            try:
                await self._carry_out(command)
            except NotNowError:
                return
            self._pending = [other for other in self._pending if other.id != command.id]

    async def _carry_out(self, command: Command) -> None:
        claimed = self._state.claimed
        if self._state.clock.now() >= command.take_by:
            await claimed.advance(command.id, CommandState.FAILED, "it could not be taken in time")
            return
        self._check(command)
        if not self._begun.begin(command):
            return
        await claimed.advance(command.id, CommandState.RUNNING)
        self._state.command = command
        try:
            result = await self._do(command)
        except ProviderError as error:
            await claimed.advance(command.id, CommandState.FAILED, str(error))
        except TimeoutError:
            await claimed.advance(command.id, CommandState.FAILED, "the provider did not do it in time")
        else:
            await claimed.advance(command.id, CommandState.SUCCEEDED, result)
        finally:
            self._state.command = None

    def _check(self, command: Command) -> None:
        state = self._state
        steers = command.kind in (CommandKind.STEER, CommandKind.INJECT)
        joins = state.capabilities.join and not state.turns.asks
        # Text must not reach a session that is asking, nor one that can only begin a turn and has one.
        waits = steers and state.busy and not joins
        # What was cut off can only be gone on with where it is remembered.
        clears = command.kind is CommandKind.CLEAR and self._hand_over.resumes
        if waits or clears or (command.kind in (CommandKind.COMPACT, CommandKind.CLEAR) and state.busy):
            state.wake_in(command.take_by - state.clock.now(), command.id)
            raise NotNowError

    async def _do(self, command: Command) -> str:
        match command.kind:
            case CommandKind.INTERRUPT:
                return await self._interrupt()
            case CommandKind.STEER | CommandKind.INJECT:
                return await self._say(command)
            case CommandKind.COMPACT:
                return await self._compact()
            case CommandKind.CLEAR:
                return await self._clear()
            case CommandKind.MODEL | CommandKind.PERMISSION_MODE:
                return await self._change(command)
            case _:
                return await self._unknown(command)

    async def _interrupt(self) -> str:
        if self._state.turns.running is None:
            return "no turn ran"
        if not await self._interruption.ask(Wish.INTERRUPT, again=True):
            raise TimeoutError
        return "the turn was asked to end"

    async def _say(self, command: Command) -> str:
        if command.kind is CommandKind.STEER and self._state.turns.running is None:
            raise _refused("no turn runs that could be steered; use `relaykit send` or `relaykit inject`")
        if command.kind is CommandKind.STEER and not self._state.capabilities.join:
            raise _refused("this provider cannot take text into a running turn")
        return await self._submit(command.text)

    async def _submit(self, text: str) -> str:
        mode = Mode.JOIN if self._state.turns.running is not None else Mode.OWN
        await self._state.submit(text, new_id(), mode)
        return "it joined the running turn" if mode is Mode.JOIN else "it has a turn of its own"

    async def _compact(self) -> str:
        session = self._state.session
        if not isinstance(session, Compacts) or not self._state.capabilities.compact:
            raise _refused("this provider cannot compact a session's context")
        self._status.report()
        with anyio.fail_after(COMPACT_SECONDS):
            await session.compact()
        return "the context was compacted"

    async def _clear(self) -> str:
        """Have a new session opened in the place of this one, which is forgotten first: no crash brings it back."""
        self._state.cleared = self._state.stopping = True
        self._status.report()
        await self._state.notebook.write()
        reached("cleared")
        return "its session is over; it begins a new one"

    async def _change(self, command: Command) -> str:
        change = self._set_model if command.kind is CommandKind.MODEL else self._set_permission_mode
        return await change(command.text)

    async def _set_model(self, model: str) -> str:
        session = self._state.session
        if not isinstance(session, ChangesModel) or not self._state.capabilities.set_model:
            raise _refused("this provider cannot go on with another model; set the option model, and restart the agent")
        await self._state.overrides.set_model(session, model)
        return f"it goes on with {model}"

    async def _set_permission_mode(self, mode: str) -> str:
        session = self._state.session
        if not isinstance(session, ChangesPermissionMode) or not self._state.capabilities.set_permission_mode:
            raise _refused(
                "this provider has no permission modes that could be changed; set approval, and restart the agent"
            )
        await self._state.overrides.set_permission_mode(session, mode)
        return f"it goes on in the permission mode {mode}"

    async def _unknown(self, command: Command) -> str:
        raise _refused(f"{command.kind.value} is not something that this relay does")


def _refused(message: str) -> ProviderError:
    return ProviderError(Fault(whose=Whose.RELAY, code="not_possible", message=message))
