"""The SignalDock transport of relaykit."""
