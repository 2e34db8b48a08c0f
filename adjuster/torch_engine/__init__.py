"""``engine: torch``: any device, and the tests' oracle."""
