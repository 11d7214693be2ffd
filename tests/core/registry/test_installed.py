"""Entry points are read as the standard library reads them, or left to it."""

from __future__ import annotations

import subprocess
import sys
import zipfile
from importlib.machinery import PathFinder
from importlib.metadata import DistributionFinder, MetadataPathFinder, entry_points

import pytest

from relaykit.registry import discover
from relaykit.registry.installed import installed


@pytest.fixture(autouse=True)
def _only_the_standard_finders(monkeypatch):
    """Another test may have imported the backport, which puts a finder of its own in the place of the standard one."""
    own = staticmethod(MetadataPathFinder.find_distributions)
    monkeypatch.setattr(PathFinder, "find_distributions", own, raising=False)
    kept = [one for one in sys.meta_path if one is PathFinder or not hasattr(one, "find_distributions")]
    monkeypatch.setattr(sys, "meta_path", kept)


def by_the_book(group):
    return [(one.name, one.value, one.dist.name, one.dist.version) for one in entry_points(group=group)]


def names():
    return {plugin.name for plugin in discover()}


@pytest.mark.parametrize("group", ["relaykit", "console_scripts", "pytest11", "nobody-has-this"])
def test_they_are_those_of_the_standard_library(group):
    assert installed(group) == by_the_book(group)


def test_odd_lines_are_read_alike(site):
    site.install("odd-plug")
    (site.path / "odd_plug-1.0.dist-info/entry_points.txt").write_text(
        "[other]\nnot = this\n\n# relaykit\n[relaykit]\n  # nor = this\n  odd=odd_plug : plugin\nextra = odd_plug:two [x]\n[last]\nno = no\n"
    )
    found = installed("relaykit")
    assert found == by_the_book("relaykit")
    assert ("odd", "odd_plug : plugin", "odd-plug", "1.0") in found


def test_of_one_distribution_in_two_places_the_first_counts(site, tmp_path, monkeypatch):
    site.install("Two.Places", "1.0", plugins={"hidden": "hidden"})
    first = tmp_path / "first"
    (first / "two_places-2.0.dist-info").mkdir(parents=True)
    monkeypatch.syspath_prepend(str(first))
    assert installed("relaykit") == by_the_book("relaykit")
    assert "hidden" not in names()


def test_a_plugin_in_an_egg_is_left_to_the_standard_library(site):
    info = site.path / "older_plug.egg-info"
    info.mkdir()
    (info / "PKG-INFO").write_text("Metadata-Version: 2.1\nName: older-plug\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text("[relaykit]\nolder = older_plug\n")
    assert installed("relaykit") is None
    assert "older" in names()


def test_a_plugin_in_an_archive_is_left_to_the_standard_library(tmp_path, monkeypatch):
    with zipfile.ZipFile(tmp_path / "plug.zip", "w") as archive:
        archive.writestr("plug-1.0.dist-info/METADATA", "Metadata-Version: 2.1\nName: plug\nVersion: 1.0\n")
        archive.writestr("plug-1.0.dist-info/entry_points.txt", "[relaykit]\nzipped = plug\n")
    monkeypatch.syspath_prepend(str(tmp_path / "plug.zip"))
    assert installed("relaykit") is None
    assert "zipped" in names()


def test_a_finder_of_somebodys_own_is_left_to_the_standard_library(monkeypatch):
    class Finder(DistributionFinder):
        def find_spec(self, *_):
            return None

        def find_distributions(self, *_):
            return []

    monkeypatch.setattr(sys, "meta_path", [*sys.meta_path, Finder()])
    assert installed("relaykit") is None
    assert "builtin" in names()


def test_one_without_a_name_is_left_to_the_standard_library(site):
    site.install("torn-plug", plugins={"torn": "torn"})
    (site.path / "torn_plug-1.0.dist-info/METADATA").write_text("Metadata-Version: 2.1\n")
    assert installed("relaykit") is None


def test_a_start_does_not_import_the_standard_librarys_reader():
    code = "import sys, relaykit.registry as r; r.discover(); print('importlib.metadata' in sys.modules, 'email' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=30)
    assert done.stdout.split() == ["False", "False"]
