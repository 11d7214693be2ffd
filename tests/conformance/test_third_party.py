"""A provider in one file, in a distribution of its own: as an example, as a template, and from an installed wheel."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from relaykit.errors import UsageError
from relaykit.templates import write_provider

ROOT = Path(__file__).parents[2]
EXAMPLE = ROOT / "examples" / "parrot"
FILES = ["pyproject.toml", "relaykit_parrot.py", "test_parrot.py"]


def run(*words: str, cwd: Path, path: Path) -> str:
    """Run Python with one more directory to import from, and nothing of this one."""
    env = {**os.environ, "PYTHONPATH": f"{path}{os.pathsep}{ROOT}", "PYTHONSAFEPATH": "1"}
    done = subprocess.run(
        [sys.executable, *words], check=False, cwd=cwd, env=env, capture_output=True, text=True, timeout=120
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def suite(test: Path, path: Path) -> str:
    """Run one test file, with warnings as errors; return the last line."""
    words = ["-m", "pytest", "-q", "-W", "error", "-p", "no:cacheprovider", "--rootdir", str(test.parent), str(test)]
    return run(*words, cwd=test.parent, path=path).splitlines()[-1]


@pytest.mark.parity("N-7")
def test_it_passes_the_suite_from_an_installed_wheel(tmp_path):
    source, site, elsewhere = tmp_path / "source", tmp_path / "site", tmp_path / "elsewhere"
    source.mkdir()
    elsewhere.mkdir()
    for name in FILES:
        (source / name).write_bytes((EXAMPLE / name).read_bytes())
    run("-m", "build", "--wheel", "--no-isolation", "--outdir", str(tmp_path), str(source), cwd=tmp_path, path=site)
    [wheel] = tmp_path.glob("relaykit_parrot-*.whl")
    install = ["-m", "pip", "install", "-q", "--no-deps", "--no-index", "--target", str(site), str(wheel)]
    run(*install, cwd=tmp_path, path=site)
    test = elsewhere / "test_parrot.py"
    test.write_bytes((EXAMPLE / test.name).read_bytes())
    assert " passed" in suite(test, site)
    found = "import json, relaykit_parrot, relaykit.registry as r; p = r.load().plugins; print(json.dumps(["
    found += "relaykit_parrot.__file__, *[(x.found.distribution, x.state) for x in p if x.found.name == 'parrot']]))"
    file, plugin = json.loads(run("-c", found, cwd=elsewhere, path=site))
    assert Path(file).parent == site
    assert plugin == ["relaykit-parrot", "loaded"]


@pytest.mark.parity("N-7")
def test_what_new_provider_writes_is_the_example(tmp_path):
    written = write_provider("parrot", tmp_path / "new")
    assert sorted(path.name for path in written) == FILES
    for path in written:
        assert path.read_text() == (EXAMPLE / path.name).read_text()


def test_what_new_provider_writes_under_another_name_passes_its_own_suite(tmp_path):
    module, project, test = write_provider("grey-parakeet", tmp_path)
    assert [module.name, project.name, test.name] == [
        "relaykit_grey_parakeet.py",
        "pyproject.toml",
        "test_grey_parakeet.py",
    ]
    assert 'name = "relaykit-grey-parakeet"' in project.read_text()
    assert 'grey-parakeet = "relaykit_grey_parakeet"' in project.read_text()
    assert "class GreyParakeetSession" in module.read_text()
    assert "parrot" not in "".join(path.read_text().lower() for path in (module, project, test))
    assert " passed" in suite(test, tmp_path)


def test_new_provider_overwrites_nothing(tmp_path):
    (tmp_path / "pyproject.toml").write_text("mine")
    with pytest.raises(UsageError, match=r"pyproject\.toml is there already"):
        write_provider("parrot", tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["pyproject.toml"]
    assert (tmp_path / "pyproject.toml").read_text() == "mine"


@pytest.mark.parametrize("name", ["", "Parrot", "1st", "a b", "../up", "a--b", "codex"])
def test_new_provider_refuses_what_cannot_be_a_name(tmp_path, name):
    with pytest.raises(UsageError):
        write_provider(name, tmp_path)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("name", FILES)
def test_the_tutorial_holds_the_example_word_for_word(name):
    text = (ROOT / "docs" / "tutorial" / "provider.md").read_text()
    assert (EXAMPLE / name).read_text() in text
