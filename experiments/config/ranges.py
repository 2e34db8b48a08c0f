"""What the settings of commands must be, beyond the ranges that `adjuster.ranges` knows."""

from omegaconf import MISSING

from adjuster.ranges import Constraint

TAKEN = ("mlflow.db", "mlartifacts", "studies", "sealed_tests.json")
"""What else lies in an output folder, beside the studies' own folders."""


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


def study_name() -> Constraint:
    """A folder's name that is nothing else's in the output folder.

    Example:
        >>> study_name().holds("spring"), study_name().holds("Studies"), study_name().holds("a/b")
        (True, False, False)
    """
    folder = folder_name(100)
    words = f"{folder.words}, and not {', '.join(TAKEN[:-1])} or {TAKEN[-1]}"

    def holds(value: object) -> bool:
        taken = str(value).lower() in TAKEN or str(value).lower().startswith("mlflow.db-")
        return folder.holds(value) and not taken

    return Constraint(words, holds)


def study_names() -> Constraint:
    """A list of studies' names, none of them twice.

    Example:
        >>> study_names().holds(["spring"]), study_names().holds(["spring", "spring"])
        (True, False)
    """
    one = study_name()

    def holds(value: object) -> bool:
        return (
            isinstance(value, list) and all(map(one.holds, value)) and len({*value}) == len(value)
        )

    return Constraint("names of studies, each once", holds)


def or_missing(constraint: Constraint) -> Constraint:
    """The same of a setting that must be given; that it is missing is told in other words."""
    return Constraint(
        constraint.words,
        lambda value: value == MISSING or constraint.holds(value),
        constraint.choices,
    )


def one_folder(longest: int) -> Constraint:
    """A text that stays in its folder where it becomes a folder's name.

    Example:
        >>> one_folder(9).holds("my shop"), one_folder(9).holds("/etc"), one_folder(9).holds("..")
        (True, False, False)
    """

    def holds(value: object) -> bool:
        return (
            isinstance(value, str)
            and 1 <= len(value.strip()) <= len(value) <= longest
            and value.isprintable()
            and not set(value) & set("/\\")
            and not value.startswith(".")
        )

    words = f"1 to {longest} printable characters without / and \\, not starting with a dot"
    return Constraint(words, holds)


def counted() -> Constraint:
    """A whole number, at least 1; true and false are none.

    Example:
        >>> counted().holds(3), counted().holds(0), counted().holds(1.5), counted().holds(True)
        (True, False, False, False)
    """

    def holds(value: object) -> bool:
        return isinstance(value, int) and not isinstance(value, bool) and value >= 1

    return Constraint("a whole number >= 1", holds)
