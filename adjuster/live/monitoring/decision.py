"""What interleaved searches say so far: turn it on, turn it off, go on, or stop without knowing."""

from typing import NamedTuple

from adjuster.live.monitoring.tally import Tally
from adjuster.metrics.interval import Interval

ON, OFF, GO_ON, UNDECIDED = "on", "off", "go on", "undecided"
DECISIONS = (ON, OFF, GO_ON, UNDECIDED)


class Decision(NamedTuple):
    """What is to be done, and why.

    Args:
        word: One of `DECISIONS`.
        why: In one sentence.
        interval: Of the mean outcome of a search, above 0 where the adjusted ranking wins.
        n_left: Sessions until the planned number.
    """

    word: str
    why: str
    interval: Interval
    n_left: int


def decide(tally: Tally, *, planned: int, confidence: float = 0.95) -> Decision:
    """Decide by the interval of the mean outcome, which may be looked at after every tick.

    ``on`` where it lies above 0, ``off`` where below; with the planned number of sessions and
    neither, ``undecided``. Wrong either way in at most a share of 1 - confidence of comparisons,
    all their looks together.

    Args:
        tally: The outcomes so far.
        planned: Sessions by which a decision is expected, fixed before the first.
        confidence: Of all looks and both ends together.

    Example:
        >>> decide(Tally(900, 300, 90.0, 120.0, 270.0, 2700.0), planned=1000).word
        'on'
    """
    ends = tally.interval(planned=planned, confidence=confidence)
    n_left = max(planned - tally.n_sessions, 0)
    seen = f"{tally.n_sessions:,} sessions of {tally.n_clusters:,} users"
    if ends.low > 0:
        why = f"Users prefer the adjusted ranking: {_figures(tally, ends)} over {seen}."
        return Decision(ON, why, ends, n_left)
    if ends.high < 0:
        why = f"Users prefer the originals' ranking: {_figures(tally, ends)} over {seen}."
        return Decision(OFF, why, ends, n_left)
    if not n_left:
        figures = _figures(tally, ends)
        why = f"The planned {planned:,} sessions do not tell which is better: {figures}."
        return Decision(UNDECIDED, why, ends, n_left)
    return Decision(
        GO_ON, f"{n_left:,} of the planned {planned:,} sessions are left.", ends, n_left
    )


def _figures(tally: Tally, ends: Interval) -> str:
    if not ends.determined:
        return f"credit {tally.mean:+.3f}, too few users for an interval"
    return f"credit {tally.mean:+.3f} ({ends.low:+.3f} to {ends.high:+.3f})"
