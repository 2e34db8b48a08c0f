"""A trial as files for hosts that know nothing of the study."""
