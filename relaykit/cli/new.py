"""``relaykit new``: begin a plugin."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from relaykit.cli.calling import examples
from relaykit.cli.options import Json
from relaykit.cli.output import say, say_json
from relaykit.cli.parameters import Argument, Option
from relaykit.templates import write_provider


@examples("relaykit new provider parrot", "relaykit new provider parrot --directory ~/src/relaykit-parrot")
def provider(
    name: Annotated[str, Argument("NAME", "What the configuration is to call it.")],
    directory: Annotated[
        Path | None, Option("--directory", metavar="D", help="Where; relaykit-NAME here if left out.")
    ] = None,
    json: Json = False,
) -> None:
    """Write a provider plugin to begin with: one module, its packaging, and the conformance tests that it passes."""
    files = write_provider(name, directory or Path(f"relaykit-{name}"))
    if json:
        say_json({"files": [str(file) for file in files]})
        return
    for file in files:
        say(f"wrote {file}")
