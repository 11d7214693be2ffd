"""The Codex provider of relaykit: a real codex app-server over stdio."""
