"""Logs that we make."""
