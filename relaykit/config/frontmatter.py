"""The head of a Markdown file: lines of ``key: value`` between two lines of ``---``."""

from __future__ import annotations

from collections.abc import Mapping

Value = str | list[str]
_FENCE, _ITEM = "---", "- "
_BLOCKS = frozenset({">", "|", ">-", "|-"})


def split_head(text: str) -> tuple[dict[str, Value], str]:
    """Return the head's values by key, and what follows it; of YAML plain values, folded lines and lists are read.

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


def text_of(head: Mapping[str, Value], key: str) -> str:
    """Return a value that is a text, empty where there is none; ValueError where it is a list."""
    value = head.get(key, "")
    if isinstance(value, list):
        raise ValueError(f"{key!r} in its head is a list; write it as one text")  # noqa: TRY004 - of what a file says
    return value


def words(value: Value | None) -> list[str] | None:
    """Return a value that is a list: line by line, or with commas, in brackets or without; None where nothing is said."""
    if isinstance(value, list) or not value:
        return value or None
    return [word for part in value.strip("[]").split(",") if (word := _bare(part))]


def _values(lines: list[str]) -> dict[str, Value]:
    values: dict[str, Value] = {}
    key, is_block = "", False
    for line in lines:
        if not line.strip() or line.lstrip().startswith("#"):
            continue
        if key and (longer := _with_line(values[key], line, is_block=is_block)) is not None:
            values[key] = longer
            continue
        key, colon, value = (part.strip() for part in line.partition(":"))
        if not colon:
            raise ValueError(f"{line!r} in its head is not `key: value`")
        is_block = value in _BLOCKS
        values[key] = "" if is_block else _bare(value)
    return values


def _with_line(value: Value, line: str, *, is_block: bool) -> Value | None:
    """Return a value with a line that goes on with it; None where the line begins the next."""
    said = line.strip()
    if said.startswith(_ITEM) and not is_block and (value == "" or isinstance(value, list)):
        return [*value, _bare(said.removeprefix(_ITEM))]
    if not line[0].isspace():
        return None
    if isinstance(value, list):
        return [*value[:-1], f"{value[-1]} {said}"]
    return f"{value} {said}".strip()


def _bare(value: str) -> str:
    value = value.strip()
    return value[1:-1] if len(value) > 1 and value[0] == value[-1] and value[0] in "\"'" else value
