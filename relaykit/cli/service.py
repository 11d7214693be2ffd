"""``relaykit service``: have systemd run a relay, or a dock."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from relaykit.cli.calling import examples
from relaykit.cli.options import Json
from relaykit.cli.output import complain, say, say_json
from relaykit.cli.parameters import Option, Rest
from relaykit.errors import UsageError

if TYPE_CHECKING:
    from relaykit.cli.unit_text import Unit

_VERIFY_SECONDS = 30.0


@examples(
    "relaykit service install --print",
    "relaykit service install --config ~/relaykit.toml",
    "relaykit service install --dock -- --listen 0.0.0.0:4880 --name dock.example --tls-cert c.pem --tls-key k.pem",
    "sudo relaykit service install --system --run-as agents --config /etc/relaykit.toml",
)
def install(
    *,
    arguments: Annotated[tuple[str, ...], Rest("WORDS FOR run OR dock serve")] = (),
    dock: Annotated[bool, Option("--dock", help="For a dock instead of a relay.")] = False,
    system: Annotated[bool, Option("--system", help="For the whole machine, not for your own login.")] = False,
    run_as: Annotated[
        str | None, Option("--run-as", metavar="USER", help="Whom a unit of the system runs as; you if left out.")
    ] = None,
    name: Annotated[
        str | None, Option("--name", metavar="NAME", help="The unit's; relaykit or relaykit-dock if left out.")
    ] = None,
    config: Annotated[
        Path | None, Option("--config", metavar="F", help="The relay's; ./relaykit.toml or the user's if left out.")
    ] = None,
    print: Annotated[bool, Option("--print", help="Write it to standard output and nowhere else.")] = False,
    force: Annotated[bool, Option("--force", help="Write over one that is there.")] = False,
    json: Json = False,
) -> None:
    """Write a systemd unit that runs a relay or a dock, and say how to start it.

    The unit has this program, this home and this PATH. Secrets are not in it: what the environment shall hold belongs in
    relaykit/NAME.env below the configuration directory, ~/.config or /etc, which the unit reads where it is there.
    """
    from relaykit.cli.units import dock_unit, owner, relay_unit  # noqa: PLC0415 - the whole configuration

    if run_as is not None and not system:
        raise UsageError("--run-as belongs to --system: a unit of your own runs as you")
    if dock and config is not None:
        raise UsageError("--config is a relay's; a dock reads ./relaykit.toml or the user's")
    user = owner(run_as) if system else None
    unit = dock_unit(name, user, arguments) if dock else relay_unit(name, user, config, arguments)
    path = None if print else _write(unit, force=force)
    _verify(unit)
    start = f"systemctl{_scope(unit)} daemon-reload && systemctl{_scope(unit)} enable --now {unit.name}"
    if json:
        say_json({"file": None if path is None else str(path), "unit": unit.text(), "start": start})
    elif path is None:
        say(unit.text().rstrip("\n"))
    else:
        say(f"wrote {path}; next: {start}")


def _scope(unit: Unit) -> str:
    return "" if unit.user is not None else " --user"


def _write(unit: Unit, *, force: bool) -> Path:
    """Write the whole unit, or nothing."""
    path = _directory(unit) / f"{unit.name}.service"
    if path.exists() and not force:
        raise UsageError(f"{path} is there already; --force writes over it, --print shows what would be written")
    text = unit.text()
    path.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.NamedTemporaryFile("w", dir=path.parent, prefix=".", encoding="utf-8", delete=False) as file:
        try:
            file.write(text)
            file.flush()
            os.fchmod(file.fileno(), 0o644)
            Path(file.name).replace(path)
        except BaseException:
            Path(file.name).unlink(missing_ok=True)
            raise
    return path


def _directory(unit: Unit) -> Path:
    if unit.user is not None:
        return Path("/etc/systemd/system")
    return Path(os.environ.get("XDG_CONFIG_HOME") or Path.home() / ".config") / "systemd" / "user"


def _verify(unit: Unit) -> None:
    """Have systemd look at the unit, where it is here, and pass on what it says."""
    program = shutil.which("systemd-analyze")
    if program is None:
        return
    with tempfile.TemporaryDirectory() as directory:
        path = Path(directory, f"{unit.name}.service")
        path.write_text(unit.text(), encoding="utf-8")
        argv = [program, *_scope(unit).split(), "verify", str(path)]
        env = {"XDG_RUNTIME_DIR": directory, **os.environ}  # without one it says nothing of a unit of the user's
        try:
            looked = subprocess.run(argv, capture_output=True, text=True, timeout=_VERIFY_SECONDS, check=False, env=env)
        except (OSError, subprocess.TimeoutExpired) as error:
            complain(f"systemd-analyze could not look at the unit: {error}")
            return
    if looked.returncode:
        complain(f"systemd-analyze says of the unit: {looked.stderr.strip() or looked.returncode}")
