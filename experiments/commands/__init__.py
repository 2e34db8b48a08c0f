"""What each command does once its configuration is checked; loaded only then."""
