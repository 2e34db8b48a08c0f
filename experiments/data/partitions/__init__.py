"""A log cut into partitions on disk: which files there are, how they are written and read."""
