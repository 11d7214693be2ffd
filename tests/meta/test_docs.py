"""The documentation says what the code says, and what it shows has run.

``python tests/meta/test_docs.py`` writes the tables of ``docs/reference/plugins.md`` anew.
"""

from __future__ import annotations

import ast
import inspect
import re
import shlex
import subprocess
import sys
import tokenize
from collections.abc import Iterator
from contextlib import redirect_stdout, suppress
from functools import cache
from importlib import import_module
from io import StringIO
from itertools import dropwhile
from pathlib import Path

import pytest

from relaykit import config, errors, model
from relaykit.cli.added import added_commands
from relaykit.cli.calling import call, help_of
from relaykit.cli.table import BUILT_IN
from relaykit.plugin import hooks
from relaykit.registry import load as load_plugins
from relaykit.relay.faultpoints import STEPS

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"
PAGES = sorted([*ROOT.glob("*.md"), *DOCS.rglob("*.md")])
SOURCES = [path for folder in ROOT.glob("relaykit*") if folder.is_dir() for path in sorted(folder.rglob("*.py"))]
PLUGINS = DOCS / "reference" / "plugins.md"
EVERYWHERE = {"--help", "-h", "--home", "--debug", "--version", "--json"}
_SECONDS = 60

_BLOCK = re.compile(r"(?:<!-- (.*?) -->\n)?^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")
_PATH = re.compile(
    r"`(?!relaykit/config\.toml)((?:tests|relaykit\w*|examples|scripts|bench|docs)/[\w./-]*[\w/])(?:::\w+)*`"
)
_PROTOCOL = re.compile(r"(<!-- protocol: (\w+)\.(\w+) -->\n).*?(<!-- end -->)", re.DOTALL)
_VARIABLE = re.compile(r"\bRELAYKIT_[A-Z_]*[A-Z]_?")


def ids(paths: list[Path]) -> list[str]:
    return [str(path.relative_to(ROOT)) for path in paths]


@cache
def text(page: Path) -> str:
    return page.read_text(encoding="utf-8")


def prose(page: Path) -> str:
    return _BLOCK.sub("", text(page))


def blocks(*languages: str) -> Iterator[tuple[str, str, str]]:
    """Yield page, comment before it and code of every block in one of these languages."""
    for page in PAGES:
        for comment, language, code in _BLOCK.findall(text(page)):
            if language in languages:
                yield str(page.relative_to(ROOT)), comment, code


def anchors(page: Path) -> set[str]:
    headings = re.findall(r"^#+ (.*)$", prose(page), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def headings(page: Path) -> set[str]:
    return set(re.findall(r"^#+ `(\w+)`", prose(page), re.MULTILINE))


@pytest.mark.parametrize("page", PAGES, ids=ids(PAGES))
def test_every_link_leads_somewhere(page):
    for target in _LINK.findall(prose(page)):
        if re.match(r"https?://|mailto:", target):
            continue
        path, _, anchor = target.partition("#")
        there = (page.parent / path).resolve() if path else page
        assert there.exists(), f"{target} leads nowhere"
        if anchor:
            assert anchor in anchors(there), f"{target}: there is no such heading"


def test_every_page_of_the_documentation_can_be_reached_from_its_index():
    reached, todo = set(), [DOCS / "index.md"]
    while todo:
        page = todo.pop()
        if page in reached or page.suffix != ".md":
            continue
        reached.add(page)
        paths = (target.partition("#")[0] for target in _LINK.findall(prose(page)) if "://" not in target)
        todo += [there for path in paths if path and (there := (page.parent / path).resolve()).is_file()]
    assert {page for page in PAGES if page.is_relative_to(DOCS)} <= reached


@pytest.mark.parametrize("page", PAGES, ids=ids(PAGES))
def test_every_file_that_is_named_is_there(page):
    assert not [path for path in _PATH.findall(prose(page)) if not (ROOT / path).exists()]


def region(source: str) -> str:
    """Return what stands in a file between ``# -- start NAME --`` and ``# -- end NAME --``, or the whole file."""
    path, _, name = source.partition("#")
    code = (ROOT / path).read_text(encoding="utf-8")
    if not name:
        return code
    return code.partition(f"# -- start {name} --\n")[2].partition(f"# -- end {name} --\n")[0]


INCLUDED = [
    (page, comment[6:], code) for page, comment, code in blocks("python", "toml", "") if comment[:6] == "from: "
]


def test_the_embedding_example_is_among_what_is_included():
    assert "examples/embed.py#embed" in {source for _, source, _ in INCLUDED}


@pytest.mark.parametrize(("page", "source", "code"), INCLUDED, ids=[f"{page} {source}" for page, source, _ in INCLUDED])
def test_code_that_is_included_is_as_in_its_file(page, source, code):
    assert code.strip("\n") == region(source).strip("\n")


@pytest.mark.parity("SR-11", "N-8")
def test_the_embedding_example_runs(tmp_path):
    done = subprocess.run(
        [sys.executable, "-W", "error", ROOT / "examples" / "embed.py", tmp_path / "home"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=_SECONDS,
        check=True,
    )
    first, *steps, last = done.stdout.splitlines()
    assert first == "helper: echo: Is it safe to merge?"
    assert [step.split()[0] for step in steps] == ["queued", "leased", "delivered", "seen", "answered"]
    assert last.startswith("its turn completed")
    assert done.stderr == ""


PIECES = [(page, code) for page, comment, code in blocks("python") if not comment]


@pytest.mark.parametrize(("page", "code"), PIECES, ids=[page for page, _ in PIECES])
def test_every_piece_of_python_runs(page, code, tmp_path, monkeypatch):
    (tmp_path / "relaykit.toml").touch()
    monkeypatch.chdir(tmp_path)
    exec(compile(code, page, "exec"), {"__name__": "piece"})


SHOWN_TESTS = [(page, code) for page, code in PIECES if re.search(r"^(?:async )?def test_", code, re.MULTILINE)]


@pytest.mark.parametrize(("page", "code"), SHOWN_TESTS, ids=[page for page, _ in SHOWN_TESTS])
def test_every_test_that_is_shown_passes_where_it_is_put_into_a_file_of_its_own(page, code, tmp_path):
    (tmp_path / "test_shown.py").write_text(code, encoding="utf-8")
    words = [sys.executable, "-m", "pytest", "-q", "--rootdir", str(tmp_path), "-p", "no:schemathesis"]
    done = subprocess.run(words, cwd=tmp_path, capture_output=True, text=True, timeout=_SECONDS, check=False)
    assert done.returncode == 0, f"{page}: {done.stdout}"
    assert "passed" in done.stdout


def test_there_are_tests_among_what_is_shown():
    assert "docs/how-to/test-a-plugin.md" in {page for page, _ in SHOWN_TESTS}


@pytest.mark.parity("N-7")
def test_the_provider_of_the_tutorial_has_fewer_than_sixty_lines_of_code():
    source = (ROOT / "examples" / "parrot" / "relaykit_parrot.py").read_text(encoding="utf-8")
    documented = (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)
    strings = [node.body[0] for node in ast.walk(ast.parse(source)) if isinstance(node, documented)]
    docstrings = {line for node in strings if isinstance(node, ast.Expr) for line in _lines_of(node)}
    silent = {tokenize.COMMENT, tokenize.NL, tokenize.NEWLINE, tokenize.INDENT, tokenize.DEDENT, tokenize.ENDMARKER}
    tokens = [token for token in tokenize.generate_tokens(StringIO(source).readline) if token.type not in silent]
    code = {line for token in tokens for line in range(token.start[0], token.end[0] + 1)}
    assert 40 < len(code - docstrings) < 60


def _lines_of(node: ast.stmt) -> range:
    return range(node.lineno, (node.end_lineno or node.lineno) + 1)


def test_a_line_of_a_command_goes_on_after_one_backslash():
    """Two are a backslash, which the shell takes for a word."""
    assert not [(page, line) for page, _, code in blocks("sh") for line in code.splitlines() if line.endswith(r"\\")]


def is_configuration(comment: str, code: str) -> bool:
    return not comment and "[project]" not in code and "[build-system]" not in code


CONFIGURATIONS = [(page, code) for page, comment, code in blocks("toml") if is_configuration(comment, code)]


@pytest.mark.parametrize(("page", "code"), CONFIGURATIONS, ids=[page for page, _ in CONFIGURATIONS])
def test_every_configuration_that_is_shown_is_good(page, code, tmp_path):
    file = tmp_path / "relaykit.toml"
    file.write_text(code, encoding="utf-8")
    environ = {"RELAYKIT_CREDENTIAL_OPENAI": "made up"}
    assert config.load(file, registry=load_plugins(), home=tmp_path / "home", environ=environ)


def said_commands() -> Iterator[tuple[str, list[str]]]:
    """Yield page and words of every ``relaykit …`` in blocks and in running text."""
    for page, _, code in blocks("sh", "console"):
        for line in code.replace("\\\n", " ").splitlines():
            for part in re.split(r"\||&&|\$\(", line.removeprefix("$ ")):
                yield page, shlex.split(part.strip().removesuffix(")"), comments=True)
    for page in PAGES:
        for said in re.findall(r"`(relaykit [^`]+)`", prose(page)):
            yield str(page.relative_to(ROOT)), re.sub(r"[\[\]]", " ", said.replace("|", " ")).split()


def spoken_of() -> Iterator[tuple[str, ...]]:
    """Yield page and words of those that call relaykit, without the variables before it."""
    for page, words in said_commands():
        said = list(dropwhile(lambda word: re.match(r"[A-Z_]+=", word), words))
        if said[:1] == ["relaykit"]:
            yield (page, *said[1:])


@cache
def options_of(words: str) -> set[str]:
    entry = next(entry for entry in BUILT_IN if entry.words == words)
    return set(re.findall(r"(?<![\w-])--?[a-z][\w-]*", help_of(entry)))


@cache
def help_of_added(words: tuple[str, ...]) -> str:
    """Return the help of a command of a plugin, as it prints it; nothing where it knows no such words."""
    entry = next(entry for entry in added_commands() if entry.words == words[0])
    with redirect_stdout(StringIO()) as printed, suppress(errors.UsageError):
        call(entry, [*words[1:], "--help"])
    return printed.getvalue()


def is_added(said: list[str]) -> bool:
    """Whether a plugin has such a command, with such options."""
    if said[:1] != ["dock"]:
        return False
    first = next((number for number, word in enumerate(said) if word.startswith("-")), len(said))
    known = set(re.findall(r"(?<![\w-])--?[a-z][\w-]*", shown := help_of_added(tuple(said[:first]))))
    options = {word.partition("=")[0] for word in said if word.startswith("--")}
    return bool(shown) and options <= known | EVERYWHERE


def test_commands_of_plugins_are_looked_at_too():
    assert is_added(["dock", "serve", "--rate", "5"])
    assert is_added(["dock", "keys", "reset", "alice"])
    assert not is_added(["dock", "serve", "--speed", "5"])
    assert not is_added(["dock", "keys", "lose", "alice"])


def test_every_command_and_option_that_is_shown_exists():
    known = {entry.words for entry in BUILT_IN}
    wrong = []
    for page, *words in sorted(set(spoken_of())):
        said = words[: words.index("--")] if "--" in words else words
        name = next((" ".join(said[:size]) for size in (2, 1) if " ".join(said[:size]) in known), None)
        options = {word.partition("=")[0].rstrip(".,;") for word in said if word.startswith("-") and len(word) > 1}
        if is_added(said):
            continue
        if name is None and said and (said[0].isupper() or said[0] in EVERYWHERE):
            continue
        if name is None or options - EVERYWHERE - options_of(name):
            wrong.append(f"{page}: relaykit {' '.join(words)}")
    assert not wrong


HOOKS = [name for name in vars(hooks) if name.startswith("relaykit_")]


def test_every_hook_is_documented_and_every_hook_that_is_documented_exists():
    assert {name for name in headings(PLUGINS) if name.startswith("relaykit_")} == set(HOOKS)
    assert len(HOOKS) == 9


def members(protocol: type) -> Iterator[tuple[str, str]]:
    """Yield what a protocol asks for, with its signature, and the first sentence of its obligation."""
    for name, member in inspect.getmembers(protocol):
        if name.startswith("_") or name not in _declared(protocol):
            continue
        called = member.fget if isinstance(member, property) else member
        said = " ".join((inspect.getdoc(called) or "").split("\n\n")[0].split())
        yield (name if isinstance(member, property) else f"{name}{_parameters(called)}"), said


def _declared(protocol: type) -> set[str]:
    return {name for base in protocol.__mro__ if base.__module__.startswith("relaykit.") for name in vars(base)}


def _parameters(function: object) -> str:
    signature = inspect.signature(function)
    parameters = [one.replace(annotation=inspect.Parameter.empty) for one in signature.parameters.values()]
    kept = [one for one in parameters if one.name != "self"]
    return str(signature.replace(parameters=kept, return_annotation=inspect.Signature.empty))


def table(module: str, protocol: str) -> str:
    rows = [
        f"| `{name}` | {said} |"
        for name, said in members(getattr(import_module(f"relaykit.plugin.{module}"), protocol))
    ]
    return "\n".join(["| it has | which |", "|---|---|", *rows]) + "\n"


def with_tables(page: str) -> str:
    return _PROTOCOL.sub(lambda found: f"{found[1]}\n{table(found[2], found[3])}\n{found[4]}", page)


def test_the_tables_of_the_protocols_are_what_the_docstrings_say():
    assert text(PLUGINS) == with_tables(text(PLUGINS)), "python tests/meta/test_docs.py"


def test_every_protocol_of_a_kind_has_its_table():
    import relaykit.plugin as public  # noqa: PLC0415 - its names are looked through

    shown = {name for _, _, name, _ in _PROTOCOL.findall(text(PLUGINS))}
    protocols = {name for name in public.__all__ if getattr(getattr(public, name), "_is_protocol", False)}
    assert protocols - shown == set()


def variables() -> set[str]:
    """Return the variables that the code reads or sets; a prefix ends in an underscore."""
    code = "\n".join(path.read_text(encoding="utf-8") for path in SOURCES)
    found = set(_VARIABLE.findall(code))
    prefixes = tuple(name for name in found if name.endswith("_"))
    return {name for name in found if name in prefixes or not name.startswith(prefixes)}


def test_every_variable_of_the_code_is_documented_and_no_other():
    documented = {name for name in headings(DOCS / "reference" / "environment.md") if name.startswith("RELAYKIT_")}
    assert documented == variables()


def table_column(page: Path, number: int) -> set[str]:
    cells = [line.split("|") for line in text(page).splitlines() if line.startswith("|")]
    return {found[1] for row in cells if len(row) > number and (found := re.match(r"\s*`([^`]+)`", row[number]))}


def test_every_error_is_documented_with_its_exit_code():
    page = text(DOCS / "reference" / "exit-codes-and-json.md")
    classes = [one for _, one in inspect.getmembers(errors, inspect.isclass) if issubclass(one, errors.RelaykitError)]
    assert not [one.__name__ for one in classes if f"| `{one.__name__}` | {one.exit_code} |" not in page]


def test_every_kind_of_event_is_documented():
    assert set(model.OCCURRENCES) <= table_column(DOCS / "reference" / "exit-codes-and-json.md", 1)


def test_every_state_and_every_fault_is_explained():
    page = text(DOCS / "explanation" / "delivery.md")
    assert not [state.value for state in model.State if f"| `{state.value}` |" not in page]
    assert not [whose.value for whose in model.Whose if f"| `{whose.value}` |" not in page]


def test_every_step_at_which_a_test_kills_a_relay_is_explained():
    assert set(STEPS) <= table_column(DOCS / "explanation" / "crashes.md", 1)


def test_the_first_screen_says_how_to_begin():
    first = "\n".join(text(ROOT / "README.md").splitlines()[:45])
    assert "make demo" in first
    assert "make test" in first
    assert "MAILBOX" in first


def main() -> None:
    """Write the tables of the protocols anew."""
    PLUGINS.write_text(with_tables(PLUGINS.read_text(encoding="utf-8")), encoding="utf-8")


if __name__ == "__main__":
    main()
