"""What a study leaves on disk, written and read back."""
