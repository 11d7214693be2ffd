"""Tells the relay what a hook of Claude's was told: ``python report.py EVENT FILE`` with that on standard input.

It is run by itself, so it knows nothing but the standard library, and it says and fails nothing: whatever becomes of
the report, the session goes on as if it were not there.
"""

from __future__ import annotations

import json
import socket
import sys
from pathlib import Path
from urllib.parse import urlsplit

_SECONDS = 2.0
_LIMIT = 512 * 1024
"""Bytes of a report; what is longer is not sent."""


def report(event: str, endpoint: Path, told: bytes) -> bool:
    """Send what a hook was told to the endpoint that a file names; return whether it was taken."""
    found = json.loads(endpoint.read_bytes())
    place = urlsplit(found["url"])
    head = (
        f"POST /hooks/{event} HTTP/1.1\r\nHost: {place.netloc}\r\nAuthorization: Bearer {found['token']}\r\n"
        f"Content-Type: application/json\r\nContent-Length: {len(told)}\r\nConnection: close\r\n\r\n"
    )
    with socket.create_connection((place.hostname, place.port or 80), timeout=_SECONDS) as connection:
        connection.sendall(head.encode() + told)
        return connection.recv(64).split(b" ", 2)[1:2] in ([b"200"], [b"202"], [b"204"])


def main() -> None:
    """Report, and be silent about it."""
    try:
        told = sys.stdin.buffer.read(_LIMIT + 1)
        if len(told) <= _LIMIT:
            report(sys.argv[1], Path(sys.argv[2]), told)
    except (OSError, ValueError, LookupError, TypeError):
        return


if __name__ == "__main__":
    main()
