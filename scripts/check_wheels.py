"""Build the four wheels through their sdists, install them by path in a fresh environment, and use them from elsewhere."""

from __future__ import annotations

import subprocess
import sys
import tempfile
import venv
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
NAMES = ("relaykit", "relaykit_claude", "relaykit_codex", "relaykit_signaldock")


def build(out: Path) -> list[Path]:
    """Build every distribution; return the wheels."""
    for name in NAMES:
        source = ROOT if name == "relaykit" else ROOT / name
        subprocess.run([sys.executable, "-m", "build", "--outdir", out, source], check=True, stdout=subprocess.DEVNULL)
    wheels = sorted(out.glob("*.whl"))
    if len(wheels) != len(NAMES):
        sys.exit(f"expected {len(NAMES)} wheels, found {[wheel.name for wheel in wheels]}")
    return wheels


def try_out(wheels: list[Path], home: Path) -> None:
    """Install the wheels in an environment of their own; import and list them away from the checkout."""
    venv.create(home, with_pip=True)
    python = home / "bin" / "python"
    subprocess.run([python, "-m", "pip", "install", "--quiet", *wheels], check=True)
    subprocess.run([python, "-I", "-c", f"import {', '.join(NAMES)}"], check=True, cwd=home)
    for words in (["plugins"], ["dock", "serve", "--help"]):
        subprocess.run([home / "bin" / "relaykit", *words], check=True, cwd=home)


def main() -> None:
    """Run the whole check."""
    with tempfile.TemporaryDirectory() as out:
        try_out(build(Path(out)), Path(out) / "venv")


main()
