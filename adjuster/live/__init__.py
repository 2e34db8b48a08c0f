"""The improvement system around an adjuster."""
