"""What holds for every component, whatever its kind."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Mapping
from importlib import import_module
from pathlib import Path
from typing import Any, ClassVar, Generic, TypeVar

import pytest
from jsonschema import Draft202012Validator

from relaykit.errors import ConfigError
from relaykit.plugin import API, Component, Context
from relaykit.registry import Kind, Registry
from relaykit.testing.contexts import make_context

HEAVY = (
    "aiohttp",
    "asyncio",
    "fastapi",
    "grpc",
    "httpx",
    "jsonschema",
    "numpy",
    "pydantic",
    "requests",
    "sqlite3",
    "starlette",
    "trio",
    "typer",
    "uvicorn",
    "websockets",
)
"""Modules that cost every ``relaykit --help`` of every user, were a plugin to import them."""

T = TypeVar("T")


class ComponentSuite(Generic[T]):
    """Checks that hold for every component. Subclass the suite of your kind, not this one.

    Attributes:
        plugin: The module that the entry point names.
        kind: What kind of component it is.
        component: Its name.
        options: Options to open it with.
        bad_options: Options that must be refused, each for the one reason that it shows.
        secrets: Credentials that the options name, with values made up for the test.
    """

    plugin: ClassVar[str]
    kind: ClassVar[Kind[Any]]
    component: ClassVar[str]
    options: ClassVar[Mapping[str, Any]] = {}
    bad_options: ClassVar[Mapping[str, Any] | None] = None
    secrets: ClassVar[Mapping[str, str]] = {}

    @pytest.fixture
    def registry(self) -> Registry:
        """A registry that knows this plugin alone."""
        registry = Registry()
        registry.register(import_module(self.plugin), self.plugin)
        return registry

    @pytest.fixture
    def context(self, tmp_path: Path) -> Context:
        """What the component is lent."""
        return make_context(tmp_path, secrets=self.secrets)

    @pytest.fixture
    def opening_options(self) -> Mapping[str, Any]:
        """The options to open it with; override this where they are only known at run time."""
        return self.options

    @pytest.fixture
    def offered(self, registry: Registry) -> Component[T]:
        """The component as the plugin offers it."""
        return registry.component(self.kind, self.component)

    def test_importing_the_plugin_is_cheap(self) -> None:
        """A plugin is imported by every start; what is heavy belongs inside ``open``."""
        code = f"import sys, {self.plugin}; print(*(name for name in {HEAVY!r} if name in sys.modules))"
        done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=30)
        assert done.stdout.split() == []

    def test_it_keeps_the_contract_of_this_version(self, offered: Component[T]) -> None:
        """``relaykit plugins`` shows one line of it."""
        assert offered.api == API
        assert offered.summary
        assert "\n" not in offered.summary

    def test_the_options_schema_is_a_schema(self, offered: Component[T]) -> None:
        """The configuration is checked by it."""
        Draft202012Validator.check_schema(dict(offered.options_schema))

    def test_good_options_fit(self, registry: Registry, opening_options: Mapping[str, Any]) -> None:
        """The options of this suite are such as a configuration may hold."""
        assert registry.checker(self.kind, self.component).problems(dict(opening_options)) == []

    def test_an_unknown_option_is_refused(
        self, registry: Registry, context: Context, opening_options: Mapping[str, Any]
    ) -> None:
        """A misspelt option is a mistake that the user hears of: ``"additionalProperties": False``."""
        misspelt = {**opening_options, "no_such_option": 1}
        with pytest.raises(ConfigError, match="no_such_option"):
            registry.open(self.kind, self.component, misspelt, context)

    def test_bad_options_are_refused_with_their_path(self, registry: Registry, context: Context) -> None:
        """Each problem says where it is."""
        if self.bad_options is None:
            pytest.skip("no bad_options are given")
        with pytest.raises(ConfigError) as caught:
            registry.open(self.kind, self.component, self.bad_options, context)
        assert all(problem.startswith(context.name) for problem in caught.value.problems)
