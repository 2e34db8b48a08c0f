"""Replay a click log against the adjuster, search its settings, and say what to deploy."""
