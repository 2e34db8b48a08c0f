"""One source's words into rows."""
