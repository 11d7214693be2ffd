"""What the parts of one worker share: the session, the ways out of it, and what is under way."""

from __future__ import annotations

from typing import TYPE_CHECKING

from relaykit.relay.delivering.held import Held
from relaykit.relay.delivering.notebook import Notebook
from relaykit.relay.delivering.turns import Turns
from relaykit.relay.dispatcher import Bell

if TYPE_CHECKING:
    from anyio.abc import TaskGroup

    from relaykit.config.records import AgentConfig
    from relaykit.model import Capabilities, Command, Mode
    from relaykit.plugin import Clock, Session
    from relaykit.relay.delivering.claimed import ClaimedMailbox
    from relaykit.relay.delivering.overrides import Overrides
    from relaykit.relay.delivering.pause import Pause
    from relaykit.relay.events.recorder import Recorder


class WorkerState:
    """What is under way in one open session, and what was said of how it is to go on. It decides nothing."""

    def __init__(
        self,
        agent: AgentConfig,
        session: Session,
        capabilities: Capabilities,
        *,
        claimed: ClaimedMailbox,
        recorder: Recorder,
        clock: Clock,
        pause: Pause,
        overrides: Overrides,
    ) -> None:
        self.agent = agent
        self.session = session
        self.capabilities = capabilities
        self.claimed = claimed
        self.recorder = recorder
        self.clock = clock
        self.pause = pause
        self.overrides = overrides
        self.nudge = Bell()
        self.turns = Turns()
        self.held = Held()
        self.notebook = Notebook(claimed, clock)
        self.command: Command | None = None
        """The one that is being carried out."""
        self.heard = clock.boot()
        """When the session gave its last sign of life, or had something to give one for, by the boot clock."""
        self.silent = False
        """Set by the watchdog while the provider gives none."""
        self.stopping = False
        self.cleared = False
        """Whether its session is forgotten, and a new one takes its place."""
        self.leaving = False
        """Whether the session goes on without this relay."""
        self._wakes: set[str] = set()
        self.tasks: TaskGroup | None = None
        """The worker's own, while it works."""

    @property
    def busy(self) -> bool:
        """Whether something was handed over that has no end, or a turn runs."""
        return bool(self.held) or self.turns.running is not None

    async def submit(self, text: str, submission: str, mode: Mode) -> None:
        """Hand the session a text. Silence counts from now: who was idle before had nothing to say."""
        self.heard = self.clock.boot()
        await self.session.submit(text, submission, mode)
        self.heard = self.clock.boot()

    def wake_in(self, seconds: float, what: str = "") -> None:
        """Look again after that time, in which nothing else may happen.

        Args:
            seconds: How long.
            what: What becomes due then. One sleeper is enough for it, however often this is called meanwhile.
        """
        if self.tasks is not None and seconds > 0 and what not in self._wakes:
            self._wakes |= {what} - {""}
            self.tasks.start_soon(self._wake, seconds, what, name=f"{self.agent.id}: wake in {seconds:.0f} s")

    async def _wake(self, seconds: float, what: str) -> None:
        await self.clock.sleep(seconds)
        self._wakes.discard(what)
        self.nudge.ring()
