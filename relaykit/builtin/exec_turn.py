"""One turn of the provider ``exec``: one run of its command."""

from __future__ import annotations

import codecs
import signal
from collections import deque
from collections.abc import Callable
from typing import TYPE_CHECKING

import anyio
from msgspec import Struct

from relaykit.model import (
    Block,
    BlockDelta,
    BlockEnded,
    BlockKind,
    BlockStarted,
    Fault,
    Occurrence,
    Origin,
    Outcome,
    TurnEnded,
    TurnStarted,
    Whose,
    new_id,
)

if TYPE_CHECKING:
    from relaykit.plugin import Child, Clock

GRACE = 2.0
"""Seconds between SIGTERM and SIGKILL."""
_COMPLAINT = 4096
"""Bytes of standard error that are kept, the last ones."""
_COMPLAINT_LINES = 3
LEFT_OPEN = 2.0
"""Seconds in which the pipes have to be empty once the command and its group are gone."""


class TurnLimits(Struct, frozen=True, kw_only=True):
    """What one run may take."""

    timeout: float | None
    """Seconds."""
    max_output: int
    """Bytes of standard output."""


class ExecTurn:
    """One run of the command, told as a turn.

    Args:
        program: What messages call the command.
        submission: The submission that it answers.
        tell: Takes every occurrence; never waits.
    """

    def __init__(
        self, program: str, submission: str, tell: Callable[[Occurrence], None], limits: TurnLimits, clock: Clock
    ) -> None:
        self.id = new_id()
        self._program = program
        self._submission = submission
        self._tell = tell
        self._limits = limits
        self._clock = clock
        self._answer = Answer(self.id, tell)
        self._complaint = deque[int](maxlen=_COMPLAINT)
        self._stop = anyio.Event()
        self._stopped: Fault | None = None
        """Why the relay ended it; None where it was asked to."""

    def begin(self) -> None:
        """Tell that the turn began."""
        self._tell(TurnStarted(turn=self.id, origin=Origin.SUBMISSION, submissions=(self._submission,)))

    def stop(self, why: Fault | None = None) -> None:
        """End the run: a fault makes it a failure, None an interruption. The first word holds."""
        if not self._stop.is_set():
            self._stopped = why
            self._stop.set()

    async def attend(self, child: Child, text: bytes) -> Fault | None:
        """See the command through; return the fault of a process that was killed by someone else."""
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(_feed, child, text, name=f"input of {self._program}")
            tasks.start_soon(self._kill_when_stopped, child, name=f"end of {self._program}")
            tasks.start_soon(self._watch_the_time, name=f"time limit of {self._program}")
            try:
                code = await self._read(child)
            finally:
                child.signal(signal.SIGKILL)
            tasks.cancel_scope.cancel()
        return self._end(code)

    def fail(self, fault: Fault) -> None:
        """Tell that the turn failed."""
        self._answer.end()
        self._ended(Outcome.FAILED, fault)

    async def _read(self, child: Child) -> int:
        """Take in all that the command says; return its exit code."""
        async with anyio.create_task_group() as readers:
            readers.start_soon(self._read_answer, child, name=f"output of {self._program}")
            readers.start_soon(self._read_complaint, child, name=f"errors of {self._program}")
            code = await child.wait()
            # What it left running in its group keeps the pipes open, and its turn is over.
            child.signal(signal.SIGKILL)
            readers.cancel_scope.deadline = anyio.current_time() + LEFT_OPEN
        return code

    async def _read_answer(self, child: Child) -> None:
        async for data in child.stdout:
            room = self._limits.max_output - self._answer.size
            self._answer.take(data[:room])
            if len(data) > room:
                self.stop(_fault("too_much_output", f"{self._program} wrote more than {self._limits.max_output} bytes"))
                return

    async def _read_complaint(self, child: Child) -> None:
        async for data in child.stderr:
            self._complaint.extend(data[-_COMPLAINT:])

    async def _kill_when_stopped(self, child: Child) -> None:
        await self._stop.wait()
        child.signal(signal.SIGTERM)
        await self._clock.sleep(GRACE)
        child.signal(signal.SIGKILL)

    async def _watch_the_time(self) -> None:
        if self._limits.timeout is not None:
            await self._clock.sleep(self._limits.timeout)
            self.stop(_fault("timeout", f"{self._program} took longer than its limit of {self._limits.timeout:g} s"))

    def _end(self, code: int) -> Fault | None:
        self._answer.end()
        if self._stop.is_set():
            self._ended(Outcome.FAILED if self._stopped else Outcome.INTERRUPTED, self._stopped)
        elif code == 0:
            self._ended(Outcome.COMPLETED)
        elif code > 0:
            self._ended(
                Outcome.FAILED, _fault(f"exit_{code}", f"{self._program} ended with exit code {code}{self._why()}")
            )
        else:
            return self._killed(-code)
        return None

    def _killed(self, number: int) -> Fault:
        message = f"{self._program} was killed by signal {number}{self._why()}"
        fault = Fault(whose=Whose.PROCESS, code=f"signal_{number}", message=message)
        self._ended(Outcome.FAILED, fault, by="process")
        return fault

    def _ended(self, outcome: Outcome, fault: Fault | None = None, by: str = "provider") -> None:
        text = self._answer.text
        submissions = (self._submission,)
        self._tell(
            TurnEnded(turn=self.id, outcome=outcome, submissions=submissions, text=text, fault=fault, by=by),
        )

    def _why(self) -> str:
        """Return the last lines of standard error, as the end of a sentence."""
        lines = bytes(self._complaint).decode(errors="replace").split("\n")
        said = " | ".join([line.strip() for line in lines if line.strip()][-_COMPLAINT_LINES:])
        return f": {said}" if said else ""


class Answer:
    """What a command writes, told as one block of text.

    A line end at the very end is no part of it, so one is held back until more follows.
    """

    def __init__(self, turn: str, tell: Callable[[Occurrence], None]) -> None:
        self.size = 0
        """Bytes taken so far."""
        self.text = ""
        self._held = ""
        self._block = Block(id=f"{turn}-text", kind=BlockKind.ASSISTANT_TEXT, turn=turn)
        self._started = False
        self._tell = tell
        self._decoder = codecs.getincrementaldecoder("utf-8")("replace")

    def take(self, data: bytes) -> None:
        """Take in a piece, cut anywhere."""
        self.size += len(data)
        self._say(self._decoder.decode(data))

    def end(self) -> None:
        """Tell that it is complete."""
        self._say(self._decoder.decode(b"", final=True))
        if self._started:
            self._tell(
                BlockEnded(block=Block(id=self._block.id, kind=self._block.kind, turn=self._block.turn, text=self.text))
            )

    def _say(self, more: str) -> None:
        text = self._held + more
        self._held = "\n" if text.endswith("\n") else ""
        text = text.removesuffix("\n")
        if not text:
            return
        if not self._started:
            self._started = True
            self._tell(BlockStarted(block=self._block))
        self.text += text
        self._tell(BlockDelta(block=self._block.id, text=text))


async def _feed(child: Child, text: bytes) -> None:
    try:
        await child.stdin.send(text)
    except anyio.BrokenResourceError:
        pass  # it need not read
    finally:
        await child.stdin.aclose()


def _fault(code: str, message: str) -> Fault:
    return Fault(whose=Whose.TURN, code=code, message=message)
