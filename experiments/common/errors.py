"""The one error that a user caused and can mend."""


class InputError(ValueError):
    """Bad input: a setting, a file, a data set. Shown as its text, exit status 2, no traceback."""
