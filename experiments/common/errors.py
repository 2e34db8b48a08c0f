"""What a command may end with in a sentence: the user's mistake, or an outage."""


class InputError(ValueError):
    """Bad input: a setting, a file, a data set. Shown as its text, exit status 2, no traceback."""


class Outage(RuntimeError):
    """A server that was there went away for too long. Shown as its text, exit status 1."""
