"""Rows on their way: typed, checked, counted, refused."""
