"""A CODEX_HOME of its own, whose model is the scripted stub."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import mkdtemp

CODEX_BIN = "CODEX_BIN"
"""Environment variable that names another codex than the bundled one."""

_CONFIG = """\
model = "{model}"
model_provider = "stub"
check_for_update_on_startup = false
allow_login_shell = false

[model_providers.stub]
name = "Scripted stub"
base_url = "{base_url}"
wire_api = "responses"
request_max_retries = {retries}
stream_max_retries = {retries}

[analytics]
enabled = false
"""


def codex_binary() -> str:
    """Return the codex that tests drive: the one that ``CODEX_BIN`` names, else the bundled one."""
    if named := os.environ.get(CODEX_BIN):
        return named
    from codex_cli_bin import bundled_codex_path  # noqa: PLC0415 - wanted only where nothing is named

    return str(bundled_codex_path())


def write_codex_home(home: Path, base_url: str, *, model: str = "gpt-5.5", retries: int = 0) -> Path:
    """Write the configuration into a directory and return it.

    Commands run without the user's own login scripts, which may take any time, or wait for one that was killed.

    Args:
        home: It is made, 0700, where it does not exist.
        base_url: Of the stub.
        model: Decides the tools that codex offers; the default has ``exec_command`` and ``apply_patch``.
        retries: How often codex itself tries again before a turn fails.
    """
    home.mkdir(mode=0o700, parents=True, exist_ok=True)
    text = _CONFIG.format(model=model, base_url=base_url, retries=retries)
    (home / "config.toml").write_text(text, encoding="utf-8")
    return home


@contextmanager
def codex_home(base_url: str, *, model: str = "gpt-5.5", retries: int = 0) -> Iterator[Path]:
    """Make a CODEX_HOME and remove it afterwards.

    It lies in the user's cache directory: codex refuses to put its helper programs below the temporary one.
    """
    parent = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "relaykit-tests"
    parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    home = Path(mkdtemp(prefix="codex-", dir=parent))
    try:
        yield write_codex_home(home, base_url, model=model, retries=retries)
    finally:
        shutil.rmtree(home, ignore_errors=True)
