"""What may be set, what may not, and the sentence that says so."""
