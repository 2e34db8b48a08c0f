"""What a host calls."""
