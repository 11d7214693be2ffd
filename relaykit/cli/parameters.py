"""How a command's function says what it reads: ``Annotated[type, Argument(...)]`` and ``Annotated[type, Option(...)]``.

The words are read by argparse: a library that does this by annotations takes longer to import than a send takes.
"""

from __future__ import annotations


class Argument:
    """A word that has its meaning by its place."""

    def __init__(self, metavar: str, help: str) -> None:
        self.metavar = metavar
        self.help = help


class Option:
    """A word that begins with ``-``, with a value or, where the parameter is a bool, without.

    Args:
        flags: Its spellings.
        metavar: What its value is called.
        help: One line.
        least: The smallest number that it takes.
        bare: Its value where it is given without one.
    """

    def __init__(
        self, *flags: str, metavar: str | None = None, help: str, least: float | None = None, bare: str | None = None
    ) -> None:
        self.flags = flags
        self.metavar = metavar
        self.help = help
        self.least = least
        self.bare = bare


class Rest:
    """The words after ``--``."""

    def __init__(self, metavar: str) -> None:
        self.metavar = metavar
