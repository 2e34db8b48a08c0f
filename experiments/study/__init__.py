"""Which trial is next and what is kept of it."""
