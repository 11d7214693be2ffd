"""Token counts."""

from __future__ import annotations

from relaykit.model import UsageReported
from relaykit.plugin.fields import Fields, number
from relaykit_codex.running import RunningTurn

_COUNTS = ("inputTokens", "cachedInputTokens", "outputTokens", "reasoningOutputTokens")


class UsageMeter:
    """Codex reports what a thread has spent in all; this tells what was spent since the last report."""

    def __init__(self) -> None:
        self._total: dict[str, int] | None = None
        self._context: int | None = None

    def read(self, usage: Fields, turn: RunningTurn | None) -> UsageReported | None:
        """Return what was spent since; a report outside a turn repeats what an earlier session spent."""
        total = {name: number(usage, "total", name) or 0 for name in _COUNTS}
        spent = self._spent(usage, total)
        context, before = number(usage, "last", "totalTokens"), self._context
        self._total, self._context = total, context
        if turn is None or not (any(spent.values()) or context != before):
            return None
        return UsageReported(
            turn=turn.id,
            input_tokens=spent["inputTokens"],
            cached_tokens=spent["cachedInputTokens"],
            output_tokens=spent["outputTokens"],
            reasoning_tokens=spent["reasoningOutputTokens"],
            context_used=context,
            context_window=number(usage, "modelContextWindow"),
            source="codex",
        )

    def _spent(self, usage: Fields, total: dict[str, int]) -> dict[str, int]:
        if self._total is None:
            return {name: number(usage, "last", name) or 0 for name in _COUNTS}
        return {name: max(0, count - self._total[name]) for name, count in total.items()}
