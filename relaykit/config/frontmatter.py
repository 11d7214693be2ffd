"""The head of a Markdown file: lines of ``key: value`` between two lines of ``---``."""

from __future__ import annotations

_FENCE = "---"
_BLOCKS = frozenset({">", "|", ">-", "|-"})


def split_head(text: str) -> tuple[dict[str, str], str]:
    """Return the head's values by key, and what follows it; of YAML only plain values and folded lines are read.

    Raises:
        ValueError: The head has no end, or a line that says nothing.
    """
    lines = text.removeprefix("\ufeff").splitlines()
    if not lines or lines[0].strip() != _FENCE:
        return {}, text
    try:
        end = next(number for number, line in enumerate(lines[1:], 1) if line.strip() == _FENCE)
    except StopIteration:
        raise ValueError("its head has no end; close it with a line of ---") from None
    return _values(lines[1:end]), "\n".join(lines[end + 1 :]).strip("\n") + "\n"


def words(value: str | None) -> list[str] | None:
    """Return a value that is a list: with commas, in brackets or without."""
    if value is None:
        return None
    return [word for part in value.strip("[]").split(",") if (word := _bare(part))]


def _values(lines: list[str]) -> dict[str, str]:
    values: dict[str, str] = {}
    key = ""
    for line in lines:
        if not line.strip() or line.lstrip().startswith("#"):
            continue
        if line[0].isspace() and key:
            values[key] = f"{values[key]} {line.strip()}".strip()
            continue
        key, colon, value = (part.strip() for part in line.partition(":"))
        if not colon:
            raise ValueError(f"{line!r} in its head is not `key: value`")
        values[key] = "" if value in _BLOCKS else _bare(value)
    return values


def _bare(value: str) -> str:
    value = value.strip()
    return value[1:-1] if len(value) > 1 and value[0] == value[-1] and value[0] in "\"'" else value
