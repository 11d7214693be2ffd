"""A plugin that every start of relaykit would pay for."""

from __future__ import annotations

import asyncio  # noqa: F401 - the fault

from good_provider import component

from relaykit.plugin import hookimpl


@hookimpl
def relaykit_providers():
    return [component("IsHeavy")]
