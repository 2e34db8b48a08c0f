"""Whether a gain stands without the one person, query, hour or bot that crowds a log."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from experiments.judging.comparison import (
    Comparison,
    Judge,
    compare_with_no_adjustment,
    select,
)
from experiments.judging.concentration import (
    LARGEST_SHARE,
    clicked_at_once,
    faster_than_people,
    largest,
)
from experiments.replay.results import SessionScores, Traffic

HOUR = 3_600


@dataclass(frozen=True)
class Crowd:
    """Something that speaks against a log's clicks being those of many people.

    Args:
        words: What it is, a sentence without its full stop.
        without: The gain over the scored sessions that have no part in it; None where it cannot
            be told which have.
        whom: What is left out for that, goes on from "without".
    """

    words: str
    without: Comparison | None
    whom: str = "it"

    @property
    def explains(self) -> bool:
        """Whether the gain does not stand without it."""
        return self.without is None or not self.without.low > 0


def crowding(traffic: Traffic, scores: SessionScores, judge: Judge) -> tuple[Crowd, ...]:
    """What crowds a log, and the gain without it.

    Args:
        traffic: Of the whole log: a bot that was learnt from misleads as much as one scored.
        scores: The sessions scored.
        judge: How they are compared.
    """
    return tuple(
        Crowd(
            words,
            None if kept is None else compare_with_no_adjustment(select(scores, kept), judge),
            whom,
        )
        for words, whom, kept in _found(traffic, scores)
    )


def _found(
    traffic: Traffic, scores: SessionScores
) -> Iterator[tuple[str, str, NDArray[np.bool_] | None]]:
    """What crowds the log, in words, without whom, and which scored sessions have no part in it."""
    kinds = (
        ("user", traffic.user, scores.user),
        ("query", traffic.query, scores.query),
        ("hour", traffic.created_at // HOUR, scores.created_at // HOUR),
    )
    for name, keys, scored in kinds:
        top = largest(keys, traffic.clicks)
        if top.too_much:
            words = f"One {name} stands behind {top.share:.0%} of the clicks"
            yield words, f"that {name}", scored != top.key
    fast = faster_than_people(traffic.user, traffic.created_at.astype(np.float64))
    if len(fast):
        share = float(np.isin(traffic.user, fast).mean())
        yield (
            f"{len(fast):,} user{'s' if len(fast) > 1 else ''} with {share:.0%} of the sessions "
            "searched faster than people can",
            "those users" if len(fast) > 1 else "that user",
            ~np.isin(scores.user, fast),
        )
    at_once = clicked_at_once(traffic.delay)
    if at_once > LARGEST_SHARE:
        yield f"{at_once:.0%} of the clicks come within a second of the search", "them", None
