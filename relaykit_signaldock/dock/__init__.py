"""The dock: a server that SignalDock clients can use, over the mailbox of this machine's relays."""
