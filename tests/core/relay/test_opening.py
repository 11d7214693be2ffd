"""What is said of a component that cannot be opened."""

from __future__ import annotations

from pathlib import Path

import pytest

from relaykit import config, relay
from relaykit.config import Setting
from relaykit.errors import ConfigError

pytestmark = pytest.mark.anyio


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"  # the stores have threads


async def test_a_use_that_cannot_be_opened_is_named_with_its_table_and_who_said_it(tmp_path: Path) -> None:
    file, path = tmp_path / "relaykit.toml", f"{tmp_path}/none/e.jsonl"
    wrong = f"sinks.x.path: {tmp_path}/none does not exist; make it, or name another"
    file.write_text(f'[sinks.x]\nuse = "jsonl"\npath = "{path}"\n', encoding="utf-8")
    assert await refusal(file) == f"{file}: {wrong}"
    file.write_text("", encoding="utf-8")
    use = {"use": "jsonl", "path": path}
    said = [Setting(path=("sinks", "x", key), value=value, origin="--sink") for key, value in use.items()]
    assert await refusal(file, *said) == f"--sink: {wrong}"


async def refusal(file: Path, *said: Setting) -> str:
    """Return what a relay says that cannot open what the configuration names."""
    with pytest.raises(ExceptionGroup) as caught:
        async with relay.open(config.load(file, home=file.parent / "home", overrides=said)):
            pass
    error: Exception = caught.value
    while isinstance(error, ExceptionGroup):
        (error,) = error.exceptions
    assert isinstance(error, ConfigError)
    return str(error)
