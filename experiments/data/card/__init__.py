"""What to know of a log before believing a number."""
