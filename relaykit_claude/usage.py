"""Token counts, cost, and how full the context is."""

from __future__ import annotations

from relaykit.model import UsageReported
from relaykit_claude.fields import Fields, number, table

_CONTEXT = ("input_tokens", "cache_read_input_tokens", "cache_creation_input_tokens", "output_tokens")


class UsageMeter:
    """Claude tells a turn's tokens with its result, and counts cost up over the process; this tells the difference."""

    def __init__(self) -> None:
        self._cost = 0.0
        self._context: int | None = None

    def step(self, usage: Fields) -> None:
        """Take in what one answer of the model used: with it the context is as full as it is."""
        counts = [number(usage, name) or 0 for name in _CONTEXT]
        if any(counts):
            self._context = sum(counts)

    def read(self, result: Fields, turn: str) -> UsageReported | None:
        """Return what the turn spent."""
        usage, cost = table(result, "usage"), self._spent(result)
        read = number(usage, "cache_read_input_tokens") or 0
        new = (number(usage, "input_tokens") or 0) + (number(usage, "cache_creation_input_tokens") or 0)
        output = number(usage, "output_tokens") or 0
        if not (read or new or output or cost):
            return None
        return UsageReported(
            turn=turn,
            input_tokens=new + read,
            cached_tokens=read,
            output_tokens=output,
            reasoning_tokens=number(usage, "output_tokens_details", "thinking_tokens") or 0,
            context_used=self._context,
            context_window=_window(result),
            cost_usd=cost,
            source="claude: tokens as the API counts them, cost by its price list",
            confidence="reported",
        )

    def _spent(self, result: Fields) -> float | None:
        total = result.get("total_cost_usd")
        if not isinstance(total, int | float):
            return None
        before, self._cost = self._cost, float(total)
        since = table(result, "model_usage_since_last_result")
        if since:
            return float(sum(one.get("costUSD") or 0 for one in since.values() if isinstance(one, dict)))
        return max(0.0, self._cost - before)


def _window(result: Fields) -> int | None:
    windows = [number(one, "contextWindow") for one in table(result, "modelUsage").values()]
    return next((window for window in reversed(windows) if window), None)
