"""Two rankings made one, with their chances."""
