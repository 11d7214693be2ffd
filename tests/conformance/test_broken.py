"""A suite that has never failed anything proves nothing: each broken component fails just the checks meant for it."""

from __future__ import annotations

import os
import subprocess
import sys
from collections import defaultdict
from functools import cache
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

BROKEN = Path(__file__).parent / "broken"
FILES = sorted(BROKEN.glob("*_suites.py"))


def expected(path: Path) -> dict[str, frozenset[str]]:
    """Return the checks that have to fail, for each class of a file that is named after a component."""
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(BROKEN)
        classes = [cls for cls in vars(load(path)).values() if hasattr(cls, "fails")]
    return {cls.__name__: frozenset(cls.fails) for cls in classes if not cls.__name__.startswith("Broken")}


def load(path: Path) -> object:
    spec = spec_from_file_location(path.stem, path)
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


EXPECTED = {path: expected(path) for path in FILES}


@pytest.fixture(scope="module")
def results(tmp_path_factory):
    """Run the suites of a file in one process, once; return the names of the checks by class and outcome."""
    return cache(lambda path: run(path, tmp_path_factory.mktemp("broken")))


def run(path: Path, directory: Path) -> dict[str, dict[str, set[str]]]:
    report = directory / "report.xml"
    words = [
        "-q",
        "--tb=no",
        "-p",
        "no:cacheprovider",
        f"--junitxml={report}",
        "-c",
        os.devnull,
        "--rootdir",
        str(BROKEN),
    ]
    names = ["-o", "python_classes=" + " ".join(EXPECTED[path]), "-k", "not trio", str(path)]  # one event loop will do
    env = {**os.environ, "PYTHONPATH": str(BROKEN)}
    done = subprocess.run(
        [sys.executable, "-m", "pytest", *words, *names],
        cwd=directory,
        env=env,
        capture_output=True,
        text=True,
        timeout=240,
        check=False,
    )
    assert done.returncode == 1, done.stdout + done.stderr
    return read(report)


def read(report: Path) -> dict[str, dict[str, set[str]]]:
    found = defaultdict(lambda: defaultdict(set))
    for case in ET.parse(report).iter("testcase"):
        outcome = next((child.tag for child in case), "passed")
        found[case.get("classname").rpartition(".")[2]][outcome].add(case.get("name").partition("[")[0])
    return found


@pytest.mark.parametrize(("path", "name"), [(path, name) for path in FILES for name in sorted(EXPECTED[path])])
def test_a_broken_component_fails_just_the_checks_that_are_meant_for_it(results, path, name):
    outcomes = results(path)[name]
    assert outcomes["error"] == set()
    assert outcomes["failure"] == EXPECTED[path][name]
    assert len(outcomes["passed"]) > 5
