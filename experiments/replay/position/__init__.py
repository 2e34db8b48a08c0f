"""How likely a result at each position is looked at, and whether the log tells."""
