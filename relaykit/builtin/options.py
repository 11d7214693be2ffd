"""The options of the built-in providers, as schemas. Data alone: whoever looks at them imports nothing heavy."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

ECHO: Mapping[str, Any] = {
    "type": "object",
    "additionalProperties": False,
    "properties": {
        "prefix": {"type": "string", "default": "echo: ", "description": "What every answer begins with."},
        "delay": {"type": "number", "minimum": 0, "default": 0, "description": "Seconds before an answer."},
        "pause": {
            "type": "number",
            "minimum": 0,
            "default": 0,
            "description": "Seconds between two pieces of an answer.",
        },
        "chunk": {
            "type": "integer",
            "minimum": 0,
            "default": 0,
            "description": "Characters of one piece; 0 says each text in one.",
        },
        "scripted": {
            "type": "boolean",
            "default": False,
            "description": "Whether the texts fail:agent, fail:turn and fail:message fail that way.",
        },
    },
}

EXEC: Mapping[str, Any] = {
    "type": "object",
    "additionalProperties": False,
    "required": ["command"],
    "properties": {
        "command": {
            "type": "array",
            "minItems": 1,
            "items": {"type": "string", "pattern": "^[^\\u0000]*$"},
            "description": 'The program and its arguments. No shell: write ["sh", "-c", ...] where you want one.',
        },
        "input": {
            "enum": ["stdin", "argument"],
            "default": "stdin",
            "description": "How the command is told the text: on standard input, or as an argument in place of {text} "
            "or, where no argument holds that, at the end.",
        },
        "timeout": {
            "type": "number",
            "exclusiveMinimum": 0,
            "description": "Seconds after which a run is ended, and its turn has failed.",
        },
        "max_output": {
            "type": "integer",
            "minimum": 1,
            "default": 1048576,
            "description": "Bytes of output after which a run is ended, and its turn has failed.",
        },
        "env": {
            "type": "object",
            "propertyNames": {"pattern": "^[^=\\u0000]+$"},
            "additionalProperties": {"type": "string", "pattern": "^[^\\u0000]*$"},
            "default": {},
            "description": "Added to the environment. No secrets: a configuration is no place for them.",
        },
    },
}
