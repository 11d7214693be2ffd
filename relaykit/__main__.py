"""``python -m relaykit`` is the command ``relaykit``."""

from __future__ import annotations

import sys

from relaykit.cli.entry import main

if __name__ == "__main__":
    sys.exit(main())
