"""docs/parity.md and the tests that bear ``@pytest.mark.parity`` agree, in both directions.

``python tests/meta/test_parity.py`` writes the column of tests anew; the rest of a row is written by hand.
"""

from __future__ import annotations

import ast
import re
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "parity.md"
ROWS = {"CR": 11, "AR": 20, "CO": 7, "SR": 11, "N": 14}
IDS = [f"{family}-{number}" for family, count in ROWS.items() for number in range(1, count + 1)]
_ROW = re.compile(r"^\| ([A-Z]+-\d+) \|(.*)\|(.*)\|(.*)\|(.*)\|$")
_NOT_RUN = {"skip", "xfail"}


@dataclass(frozen=True)
class Row:
    id: str
    capability: str
    state: str
    missing: str
    tests: tuple[str, ...]

    def __str__(self) -> str:
        tests = "<br>".join(f"`{test}`" for test in self.tests)
        return f"| {self.id} | {self.capability} | {self.state} | {self.missing} | {tests} |"


def rows(page: str) -> list[Row]:
    """Return the rows of the tables, in order."""
    found = []
    for line in page.splitlines():
        if match := _ROW.match(line):
            name, *cells, tests = (cell.strip() for cell in match.groups())
            found.append(Row(name, *cells, tuple(re.findall(r"`([^`]+)`", tests))))
    return found


def marked(root: Path = ROOT / "tests") -> dict[str, list[str]]:
    """Return the tests that bear each id, as ``file``, ``file::Class`` or ``file::[Class::]test``."""
    found = defaultdict(list)
    for path in sorted(root.rglob("test_*.py")):
        name = path.relative_to(root.parent).as_posix()
        for node, ids in _ids(ast.parse(path.read_text(encoding="utf-8")), name):
            for one in ids:
                found[one].append(node)
    return found


def _ids(tree: ast.Module | ast.ClassDef, name: str) -> Iterator[tuple[str, list[str]]]:
    if ids := _of(_marks(tree)):
        yield name, ids
    for node in tree.body:
        match node:
            case ast.ClassDef():
                yield from _ids(node, f"{name}::{node.name}")
            case ast.FunctionDef() | ast.AsyncFunctionDef():
                if ids := _of(node.decorator_list):
                    yield f"{name}::{node.name}", ids


def _marks(tree: ast.Module | ast.ClassDef) -> list[ast.expr]:
    marks = list(tree.decorator_list) if isinstance(tree, ast.ClassDef) else []
    for node in tree.body:
        if isinstance(node, ast.Assign) and any(isinstance(t, ast.Name) and t.id == "pytestmark" for t in node.targets):
            marks += node.value.elts if isinstance(node.value, ast.List | ast.Tuple) else [node.value]
    return marks


def _of(marks: list[ast.expr]) -> list[str]:
    """Return the ids of the parity marks, refusing those that no run would prove."""
    names = [ast.unparse(mark.func if isinstance(mark, ast.Call) else mark) for mark in marks]
    ids = [
        ast.literal_eval(argument)
        for mark in marks
        if isinstance(mark, ast.Call) and ast.unparse(mark.func) == "pytest.mark.parity"
        for argument in mark.args
    ]
    assert not (ids and _NOT_RUN & {name.removeprefix("pytest.mark.") for name in names}), f"{ids}: it is not run"
    return ids


def _page() -> str:
    return PAGE.read_text(encoding="utf-8")


def _wrong(row: Row, tests: list[str]) -> list[str]:
    """Return what does not fit between a row and the tests that bear its id."""
    complaints = {
        f"{row.state!r} is no state": row.state not in ("working", "partly", "planned"),
        "no test bears its id": row.state in ("working", "partly") and not tests,
        "tests bear its id, so it is working or partly": row.state == "planned" and bool(tests),
        "it does not say what is missing": row.state == "partly" and not row.missing,
        "it says that something is missing": row.state == "working" and bool(row.missing),
        "its tests are others: python tests/meta/test_parity.py": sorted(row.tests) != sorted(tests),
    }
    return [f"{row.id}: {complaint}" for complaint, holds in complaints.items() if holds]


def test_every_row_is_there_once_and_in_order():
    assert [row.id for row in rows(_page())] == IDS


def test_no_test_bears_an_id_that_is_no_row():
    assert not marked().keys() - set(IDS)


def test_rows_and_tests_agree_in_both_directions():
    tests = marked()
    assert not [complaint for row in rows(_page()) for complaint in _wrong(row, tests.get(row.id, []))]


def test_the_legend_counts_the_rows():
    states = [row.state for row in rows(_page())]
    assert (
        f"{states.count('working')} working, {states.count('partly')} partly, {states.count('planned')} planned"
        in _page()
    )


@pytest.mark.parametrize(
    ("row", "tests", "complaint"),
    [
        (Row("N-1", "it", "done", "", ()), [], "is no state"),
        (Row("N-1", "it", "working", "", ()), [], "no test bears its id"),
        (Row("N-1", "it", "planned", "", ()), ["tests/a.py::test_b"], "working or partly"),
        (Row("N-1", "it", "partly", "", ("tests/a.py::test_b",)), ["tests/a.py::test_b"], "what is missing"),
        (Row("N-1", "it", "working", "", ("tests/a.py::test_gone",)), ["tests/a.py::test_b"], "its tests are others"),
    ],
)
def test_a_row_that_does_not_fit_is_complained_of(row, tests, complaint):
    assert any(complaint in found for found in _wrong(row, tests))


def test_marks_of_functions_classes_and_modules_are_found(tmp_path):
    (tmp_path / "tests").mkdir()
    (tmp_path / "tests" / "test_it.py").write_text(
        "import pytest\n"
        "pytestmark = [pytest.mark.anyio, pytest.mark.parity('N-1')]\n"
        "@pytest.mark.parity('N-2', 'N-3')\nasync def test_one(): ...\n"
        "class TestIt:\n    pytestmark = pytest.mark.parity('N-4')\n    @pytest.mark.parity('N-2')\n    def test_two(self): ...\n"
    )
    path = "tests/test_it.py"
    assert marked(tmp_path / "tests") == {
        "N-1": [path],
        "N-2": [f"{path}::test_one", f"{path}::TestIt::test_two"],
        "N-3": [f"{path}::test_one"],
        "N-4": [f"{path}::TestIt"],
    }


def test_a_test_that_is_not_run_proves_nothing(tmp_path):
    (tmp_path / "test_it.py").write_text(
        "import pytest\n@pytest.mark.skip\n@pytest.mark.parity('N-1')\ndef test_it(): ...\n"
    )
    with pytest.raises(AssertionError, match="it is not run"):
        marked(tmp_path)


def main() -> None:
    """Write the column of tests, and the count, anew."""
    tests = marked()
    new = [Row(row.id, row.capability, row.state, row.missing, tuple(tests.get(row.id, ()))) for row in rows(_page())]
    by_id = {row.id: str(row) for row in new}
    lines = [by_id[match[1]] if (match := _ROW.match(line)) else line for line in _page().splitlines()]
    states = [row.state for row in new]
    count = ", ".join(f"{states.count(state)} {state}" for state in ("working", "partly", "planned"))
    PAGE.write_text(re.sub(r"\d+ working, \d+ partly, \d+ planned", count, "\n".join(lines)) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
