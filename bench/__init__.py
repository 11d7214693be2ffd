"""The benchmark: what relaykit costs, beside the raw thing and its peers, in one run. ``python -m bench``."""
