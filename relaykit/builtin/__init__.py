"""What comes with relaykit, through the same door as anyone's plugin; ``hooks`` is what the entry point names."""
