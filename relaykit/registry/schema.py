"""Check values against a JSON Schema (Draft 2020-12), with problems in words."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cached_property
from typing import TYPE_CHECKING, Any

from relaykit.errors import PluginError
from relaykit.registry.masking import is_credential_name
from relaykit.registry.quick import surely_fits

if TYPE_CHECKING:
    from jsonschema import Draft202012Validator

    from relaykit.registry.problem import Problem


class Checker:
    """Checks values against one schema; the full validator is built once, and only when it is needed."""

    def __init__(
        self, schema: Mapping[str, Any], *, of: str = "", explain: Callable[[str, str], str] | None = None
    ) -> None:
        """Take the schema, whose it is, and what says why there is no component of a kind and a name."""
        self._schema = schema
        self._of = of
        self._explain = explain

    def problems(self, value: object) -> list[Problem]:
        """Return all that is wrong with the value, in the order of the paths."""
        if surely_fits(self._schema, value):
            return []
        from relaykit.registry.wording import worded  # noqa: PLC0415 - only a mistake pays for it

        errors = list(self._validator.iter_errors(value))
        # What is of the wrong type breaks its other rules as well, which tells nobody anything.
        mistyped = {tuple(error.absolute_path) for error in errors if error.validator == "type"}
        plain = (error for error in errors if error.validator == "type" or tuple(error.absolute_path) not in mistyped)
        found = [problem for error in plain for problem in worded(error, self._explain)]
        return sorted(dict.fromkeys(found), key=lambda problem: [str(part) for part in problem.path])

    def check_schema(self) -> None:
        """Raise PluginError where the schema itself is none."""
        _ = self._validator

    @cached_property
    def _validator(self) -> Draft202012Validator:
        from jsonschema import Draft202012Validator, FormatChecker, SchemaError  # noqa: PLC0415 - see quick

        try:
            Draft202012Validator.check_schema(self._schema)
        except SchemaError as exc:
            raise PluginError(f"{self._of}: its schema is no JSON Schema: {exc.json_path}: {exc.message}") from exc
        formats = FormatChecker(formats=())
        formats.checks("credential")(is_credential_name)
        return Draft202012Validator(self._schema, format_checker=formats)
