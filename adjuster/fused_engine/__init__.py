"""``engine: fused``: compiled, allocates nothing."""
