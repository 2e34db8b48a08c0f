"""Figures: a frame function each, which the tests look at, then Plotly."""
