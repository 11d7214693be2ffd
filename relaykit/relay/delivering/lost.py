"""A session that is lost."""

from __future__ import annotations


class SessionLostError(Exception):
    """The session can no longer be talked to; the supervisor opens it again."""
