"""From one setting to scores of later sessions."""
