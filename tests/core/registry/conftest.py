"""Real distributions: a directory on sys.path with modules and .dist-info, as an installer leaves them."""

from __future__ import annotations

import sys
from pathlib import Path
from textwrap import dedent

import pytest


class Site:
    """A place where distributions are installed."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.modules = []

    def install(self, distribution, version="1.0", *, plugins=None, modules=None):
        """Install a distribution: its entry points and the text of its modules."""
        info = self.path / f"{distribution.replace('-', '_')}-{version}.dist-info"
        info.mkdir()
        (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {distribution}\nVersion: {version}\n")
        lines = [f"{name} = {target}" for name, target in (plugins or {}).items()]
        (info / "entry_points.txt").write_text("\n".join(["[relaykit]", *lines, ""]))
        for name, text in (modules or {}).items():
            (self.path / f"{name}.py").write_text(dedent(text))
            self.modules.append(name)


@pytest.fixture
def site(tmp_path, monkeypatch):
    """A new place for distributions, which is searched first."""
    path = tmp_path / "site"
    path.mkdir()
    monkeypatch.syspath_prepend(str(path))
    made = Site(path)
    yield made
    for name in made.modules:
        sys.modules.pop(name, None)
