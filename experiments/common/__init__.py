"""Used by all, uses none."""
