"""Which sessions the improvement worker learns from."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from adjuster.ranges import Rule, at_least, check_settings, or_null, setting

REASONS: tuple[str, ...] = (
    "selected",
    "irrelevant",
    "too_few_clicks",
    "too_many_clicks",
    "too_short",
    "clicks_at_top_only",
)
"""What `select` answers, by code; code 0 is a session that is used."""


@dataclass
class SelectionConfig:
    """The rule that picks sessions; the defaults take every session with a click.

    Raises:
        ValueError: Naming every field that is out of range.
    """

    min_clicks: int = setting(1, at_least(1), "Least number of clicked objects.")
    max_clicks: int | None = setting(
        None, or_null(at_least(1)), "Largest number of clicked objects; null is no limit."
    )
    min_duration_seconds: int = setting(
        0, at_least(0, "seconds"), "Least time from the search to the last click."
    )
    min_clicked_position: int | None = setting(
        None,
        or_null(at_least(0)),
        "Only sessions with a click at this 0-based position or below it (3 is below the top 3).",
    )

    def __post_init__(self) -> None:
        least, most = self.min_clicks, self.max_clicks
        must = f">= selection.min_clicks ({least}) or null for no limit"
        good = not isinstance(most, int) or most < 1 or most >= least
        check_settings(self, "selection", [Rule("max_clicks", most, good, must)])


def select(
    rule: SelectionConfig,
    *,
    is_irrelevant: NDArray[np.bool_],
    n_clicks: NDArray[np.integer],
    duration_seconds: NDArray[np.integer],
    last_clicked_position: NDArray[np.integer],
) -> NDArray[np.int8]:
    """Judge sessions by what has arrived when the worker takes them.

    Args:
        rule: The rule.
        is_irrelevant: Shape ``(n_sessions,)``; marked by the user as irrelevant.
        n_clicks: Shape ``(n_sessions,)``; distinct clicked objects so far.
        duration_seconds: Shape ``(n_sessions,)``; from the search to its last click so far.
        last_clicked_position: Shape ``(n_sessions,)``; the lowest place clicked, 0-based.

    Returns:
        Shape ``(n_sessions,)``: 0 for a session that is used, else the index in `REASONS` of
        the first reason against it.

    Example:
        >>> codes = select(
        ...     SelectionConfig(),
        ...     is_irrelevant=np.array([False, True]),
        ...     n_clicks=np.array([2, 2]),
        ...     duration_seconds=np.array([5, 5]),
        ...     last_clicked_position=np.array([4, 4]),
        ... )
        >>> [REASONS[code] for code in codes]
        ['selected', 'irrelevant']
    """
    codes = np.zeros(len(n_clicks), np.int8)
    tests = (
        is_irrelevant,
        n_clicks < rule.min_clicks,
        n_clicks > (np.iinfo(np.int64).max if rule.max_clicks is None else rule.max_clicks),
        duration_seconds < rule.min_duration_seconds,
        last_clicked_position < (rule.min_clicked_position or 0),
    )
    for code, failed in reversed(list(enumerate(tests, start=1))):
        codes[failed] = code
    return codes
