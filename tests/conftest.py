"""What holds for all tests."""

from __future__ import annotations

from hypothesis import settings

# Time is bounded for the whole run; a deadline for each example only says how busy the machine is.
settings.register_profile("relaykit", deadline=None)
settings.load_profile("relaykit")
