"""Which sessions the improvement worker learns from."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

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

    Args:
        min_clicks: At least so many clicked objects, >= 1.
        max_clicks: At most so many, or None for no limit.
        min_duration_seconds: Seconds from the search to the last click, >= 0.
        min_clicked_position: Only sessions with a click at this 0-based position or below it
            (3 is below the top 3), or None.

    Raises:
        ValueError: Naming every field that is out of range.
    """

    min_clicks: int = 1
    max_clicks: int | None = None
    min_duration_seconds: int = 0
    min_clicked_position: int | None = None

    def __post_init__(self) -> None:
        faults = []
        if self.min_clicks < 1:
            faults.append(f"selection.min_clicks must be >= 1, got {self.min_clicks}.")
        if self.max_clicks is not None and self.max_clicks < self.min_clicks:
            faults.append(
                f"selection.max_clicks must be >= selection.min_clicks ({self.min_clicks}) "
                f"or null for no limit, got {self.max_clicks}."
            )
        if self.min_duration_seconds < 0:
            faults.append(
                "selection.min_duration_seconds must be >= 0 seconds, "
                f"got {self.min_duration_seconds}."
            )
        if self.min_clicked_position is not None and self.min_clicked_position < 0:
            faults.append(
                "selection.min_clicked_position must be >= 0 or null, "
                f"got {self.min_clicked_position}."
            )
        if faults:
            raise ValueError("\n".join(faults))


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
