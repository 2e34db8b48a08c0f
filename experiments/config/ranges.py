"""What the settings of commands must be, beyond the ranges that `adjuster.ranges` knows."""

from adjuster.ranges import Constraint


def a_path() -> Constraint:
    """A text that names a file or a folder."""
    return Constraint("a path", lambda value: isinstance(value, str) and bool(value.strip()))


def folder_name(longest: int) -> Constraint:
    """A text that can be a folder's name everywhere.

    Args:
        longest: Characters that it has at most.

    Example:
        >>> folder_name(9).holds("a-1"), folder_name(9).holds("a/b"), folder_name(9).holds(".a")
        (True, False, False)
    """

    def holds(value: object) -> bool:
        return (
            isinstance(value, str)
            and 1 <= len(value) <= longest
            and all(part.isalnum() or part in "-_." for part in value)
            and not value.startswith(".")
        )

    return Constraint(f"1 to {longest} letters, digits, -, _ or ., not starting with a dot", holds)
