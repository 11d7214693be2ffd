"""The Claude Code provider of relaykit."""
