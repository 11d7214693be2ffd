"""What holds for all tests."""

from __future__ import annotations

import pytest
from hypothesis import settings

# Time is bounded for the whole run; a deadline for each example only says how busy the machine is.
settings.register_profile("relaykit", deadline=None)
settings.load_profile("relaykit")


def pytest_collection_modifyitems(config, items):
    """Share tests out to processes by file. Those that kill are counted, so they stay together, and begin first."""
    items.sort(key=lambda item: "faults" not in item.path.parts)
    if config.pluginmanager.hasplugin("xdist"):
        for item in items:
            group = "faults" if "faults" in item.path.parts else str(item.path)
            item.add_marker(pytest.mark.xdist_group(group))
