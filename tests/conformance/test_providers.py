"""The built-in providers pass the suite that anyone's has to pass."""

# ruff: noqa: RUF012 - the suite declares them as class variables
from __future__ import annotations

import sys

import pytest

from relaykit.testing.provider import ProviderSuite

AGENT = """
import sys, time
text = sys.stdin.read()
print("you said", text, flush=True)
if text == "long":
    time.sleep(600)
"""


class TestEcho(ProviderSuite):
    plugin = "relaykit.builtin.hooks"
    provider = "echo"
    options = {"chunk": 2}
    bad_options = {"delay": -1}
    long_options = {"delay": 3600}


@pytest.mark.parity("N-7")
class TestExecWithAProgramThatReads(ProviderSuite):
    plugin = "relaykit.builtin.hooks"
    provider = "exec"
    options = {"command": [sys.executable, "-I", "-S", "-c", AGENT]}
    bad_options = {"command": []}
    long_text = "long"
    unread_turns = 20


class TestExecWithAnArgument(ProviderSuite):
    plugin = "relaykit.builtin.hooks"
    provider = "exec"
    options = {"command": ["sh", "-c", 'echo "$1"; [ "$1" != long ] || sleep 600', "sh", "{text}"], "input": "argument"}
    bad_options = {"command": ["cat"], "input": "telepathy"}
    long_text = "long"
    unread_turns = 20
