"""What comes with relaykit, through the same door as anyone's plugin."""
