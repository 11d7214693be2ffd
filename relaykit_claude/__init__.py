"""The Claude Code provider of relaykit: a plugin that is found and loaded, and offers nothing so far."""
