"""A relay in the foreground: ready lines, signals, an exit code."""

from __future__ import annotations

import gc
import signal
from contextlib import suppress
from typing import TYPE_CHECKING

import anyio

from relaykit import server
from relaykit.cli.output import OutputError, complain, say, say_json
from relaykit.config.places import here
from relaykit.errors import ProviderError, RelaykitError

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from relaykit.cli.live import LiveView
    from relaykit.config import AgentConfig, Config
    from relaykit.registry import Registry
    from relaykit.relay import Ready, Relay

_CTRL_C = 130


def serve(config: Config, registry: Registry, *, json: bool, give_up: bool, live: bool = False) -> int:
    """Run a relay until it is stopped; return the exit code.

    Args:
        config: What runs.
        registry: Its plugins.
        json: JSON lines instead of lines for people.
        give_up: End with the error where an agent cannot be started, instead of trying again.
        live: Show in this terminal what the agents do, in place of lines.
    """
    here()  # who holds an agent's lock says where it is: a relay needs a directory, whatever its agents have
    return anyio.run(_Service(config, registry, json=json, give_up=give_up, live=live).run)


class _Service:
    def __init__(self, config: Config, registry: Registry, *, json: bool, give_up: bool, live: bool) -> None:
        self._config = config
        self._registry = registry
        self._json = json
        self._give_up = give_up
        self._code = 0
        self._running: Relay | None = None
        """None while it opens."""
        self._view = _view() if live else None
        self._tell = self._view.note if self._view else complain

    async def run(self) -> int:
        with anyio.open_signal_receiver(*_signals()) as signals, anyio.CancelScope() as life:
            async with anyio.create_task_group() as tasks:
                tasks.start_soon(self._stop_on, signals, life, name="signals")
                await self._run()
                tasks.cancel_scope.cancel()
        return self._code

    async def _run(self) -> None:
        opened = server.open(self._config, registry=self._registry, report=self._tell)
        async with opened as running, anyio.create_task_group() as tasks:
            self._running = running
            gc.freeze()  # all that stands by now stays: the collector need never look at it
            gc.enable()
            if self._view is not None:
                tasks.start_soon(self._view.run, running, name="live view")
            for agent in self._config.agents:
                tasks.start_soon(self._begin, running, agent, name=f"{agent.id}: beginning")
            await running.ended()
            tasks.cancel_scope.cancel()

    async def _stop_on(self, signals: AsyncIterator[signal.Signals], life: anyio.CancelScope) -> None:
        """Stop in good order at the first signal, at once at the second, or where it is only now opening."""
        async with anyio.create_task_group() as tasks:
            stopping = False
            async for number in signals:
                self._code = _CTRL_C if number == signal.SIGINT else 0
                running = self._running
                if running is None:
                    life.cancel()
                elif stopping:
                    running.kill()
                else:
                    stopping = True
                    tasks.start_soon(running.stop, name="stop")
                    if number == signal.SIGINT:
                        self._tell("stopping; Ctrl-C once more stops at once")

    async def _begin(self, running: Relay, agent: AgentConfig) -> None:
        """Announce an agent that is ready, and put its prompt."""
        try:
            ready = await running.ready(agent.id)
        except ProviderError as error:  # the relay has told it
            self._give_up_on(running, error)
            return
        if self._view is None:
            self._announce(ready)
        if agent.prompt is not None:
            await self._put(running, agent.id, agent.prompt)

    async def _put(self, running: Relay, agent: str, prompt: str) -> None:
        """Put an agent's prompt; where it is refused, that ends nobody's work."""
        try:
            await running.send(agent, prompt)
        except RelaykitError as error:
            self._tell(f"{agent}: its prompt was not put: {error}")
            self._give_up_on(running, error)

    def _give_up_on(self, running: Relay, error: RelaykitError) -> None:
        if not self._give_up:
            return
        self._code = error.exit_code
        if self._json:
            with suppress(BrokenPipeError, OutputError):  # the exit code and standard error say it, too
                say_json({"error": str(error), "exit_code": self._code})
        running.kill()

    def _announce(self, ready: Ready) -> None:
        try:
            self._say(ready)
        except BrokenPipeError:
            return  # whoever wanted the line has it or is gone; the agents go on
        except OutputError as error:
            complain(f"{ready.agent} is ready, and goes on; {error}")

    def _say(self, ready: Ready) -> None:
        if self._json:
            about = {"agent": ready.agent, "provider": ready.provider, "pid": ready.pid, "session": ready.session}
            say_json({"event": "ready", **about})
        else:
            pid = "-" if ready.pid is None else ready.pid
            say(f"ready {ready.agent} {ready.provider} (pid {pid}, session {ready.session})", now=True)


def _view() -> LiveView:
    from relaykit.cli.live import LiveView  # noqa: PLC0415 - it costs time and memory, and most relays show nothing

    return LiveView()


def _signals() -> list[signal.Signals]:
    """Return the signals that stop; not SIGHUP where whoever started this has it ignored."""
    hang_up = [] if signal.getsignal(signal.SIGHUP) is signal.SIG_IGN else [signal.SIGHUP]
    return [signal.SIGINT, signal.SIGTERM, *hang_up]
