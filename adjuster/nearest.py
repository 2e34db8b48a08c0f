"""What somebody who mistyped a name will have meant."""

import difflib
from collections.abc import Iterable

CLOSE = 0.6
"""How alike two names must be at least: twice the letters they share, over all their letters."""


def nearest(name: str, names: Iterable[str], *, close: float = CLOSE) -> str:
    """The name nearest to one that is not among them; "" where none is near.

    Args:
        name: As it was given; capitals make no difference.
        names: Those there are.
        close: How alike they must be at least, in (0, 1].

    Example:
        >>> nearest("TEP", ["gp", "tpe"]), nearest("x", ["gp", "tpe"])
        ('tpe', '')
    """
    small = {other.lower(): other for other in names}
    found = difflib.get_close_matches(name.lower(), small, n=1, cutoff=close)
    return small[found[0]] if found else ""


def did_you_mean(name: str, names: Iterable[str]) -> str:
    """The end of a sentence about a name that there is not: its full stop, or the nearest name.

    Args:
        name: As it was given.
        names: Those there are.

    Example:
        >>> did_you_mean("cubix", ["cubic", "linear"]), did_you_mean("x", ["cubic", "linear"])
        ('; did you mean cubic?', '.')
    """
    near = nearest(name, names)
    return f"; did you mean {near}?" if near else "."


def nearest_first(name: str, names: Iterable[str]) -> list[str]:
    """The names there are, the one that will have been meant before the others.

    Args:
        name: As it was given.
        names: Those there are, in their order.

    Example:
        >>> nearest_first("tep", ["gp", "random", "tpe"])
        ['tpe', 'gp', 'random']
    """
    given = list(names)
    near = nearest(name, given)
    return sorted(given, key=lambda other: other != near)
