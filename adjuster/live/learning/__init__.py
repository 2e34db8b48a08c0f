"""Workers that learn from what is stored."""
