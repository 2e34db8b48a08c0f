"""From rows and records to a verdict."""
