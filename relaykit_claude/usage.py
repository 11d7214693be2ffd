"""Token counts, cost, and how full the context is."""

from __future__ import annotations

from relaykit.model import UsageReported
from relaykit.plugin.fields import Fields, decimal, number, table

_CONTEXT = ("input_tokens", "cache_read_input_tokens", "cache_creation_input_tokens", "output_tokens")


class UsageMeter:
    """Claude tells a turn's tokens with its result, and counts cost up over the session; this tells the difference."""

    def __init__(self, *, resumed: bool = False) -> None:
        self._cost = None if resumed else 0.0
        """What the session had cost before; not known of one that is gone on with until claude has said it."""
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
        total = decimal(result, "total_cost_usd")
        before, self._cost = self._cost, self._cost if total is None else total
        since = result.get("model_usage_since_last_result")
        if isinstance(since, dict):  # of a turn that spent nothing it is empty
            return sum((decimal(one, "costUSD") or 0.0 for one in since.values()), 0.0)
        return None if before is None or total is None else max(0.0, total - before)


def _window(result: Fields) -> int | None:
    windows = [number(one, "contextWindow") for one in table(result, "modelUsage").values()]
    return next((window for window in reversed(windows) if window), None)
