"""Claude's calls of the relay's tools, which come over its own pipe: no port, and no token, is in between."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from functools import partial
from typing import TYPE_CHECKING

import anyio

from relaykit.errors import ProviderError
from relaykit.plugin import ToolUses
from relaykit.plugin.fields import Fields, rows, text

if TYPE_CHECKING:
    from anyio.abc import TaskGroup

    from relaykit.plugin import Tools
    from relaykit_claude.protocol import Called

Answer = Callable[[str, Fields], None]
_TAKEN = {"jsonrpc": "2.0", "id": 0, "result": {}}
"""What is answered where the tools have nothing to say: claude waits for an answer to a notification, too."""


class _NotTakenError(Exception):
    """Claude did not take an answer."""


class ToolCalls:
    """Answers each call in a task of its own, from the first that claude makes on: some wait, and the others go on.

    An answer was taken once claude shows it as the result of the tool's use, some 10 ms later: one that was written to
    the pipe of a claude that dies, or that is interrupted, may never be read.

    Args:
        tools: The relay's.
        answer: Hands an answer over to claude; ProviderError where claude is gone.
        tasks: Of the connection.
    """

    def __init__(self, tools: Tools, answer: Answer, tasks: TaskGroup) -> None:
        self._tools = tools
        self._answer = answer
        self._tasks = tasks
        self._open: dict[str, anyio.CancelScope] = {}
        self._uses = ToolUses()

    def take(self, called: Called) -> None:
        """Begin to answer a call; never waits."""
        # Claude names the use so from 2.1.248 to 2.1.332, tried live; what is no call of a tool has none.
        if use := text(called.message, "params", "_meta", "claudecode/toolUseId"):
            self._uses.begin(use)
        scope = self._open[called.id] = anyio.CancelScope()
        self._tasks.start_soon(partial(self._call, called, use, scope), name=f"claude calls {called.id}")

    def hear(self, said: Fields) -> None:
        """Note which answers claude shows in a ``user`` message, and which it has dropped for an error."""
        for result in rows(said, "message", "content"):
            self._uses.end(text(result, "tool_use_id"), taken=result.get("is_error") is not True)

    def withdraw(self, call: str) -> bool:
        """Give a call up, if it is one whose answer was not taken; return whether it was."""
        scope = self._open.get(call)
        if scope is not None:
            scope.cancel()
        return scope is not None

    def give_up(self) -> None:
        """Give all calls up: claude is gone."""
        for scope in self._open.values():
            scope.cancel()

    async def _call(self, called: Called, use: str, scope: anyio.CancelScope) -> None:
        try:
            with scope, suppress(ProviderError, _NotTakenError):  # whoever reads tells of claude's end
                async with self._tools(called.message) as answer:
                    self._answer(called.id, {"mcp_response": _TAKEN if answer is None else answer})
                    if not await self._uses.taken([use]):
                        raise _NotTakenError
        finally:
            self._open.pop(called.id, None)
