"""Processes that die with the relay."""
