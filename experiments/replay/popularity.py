"""Ranking by how often an object was clicked, vectors ignored or added.

What an adjuster learns must be worth more than this: whoever reads a table has to see when the
simple thing is better. Counts are as old as the worker's: a search sees the clicks and showings
that had been taken by the last tick.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from adjuster.metrics.linear import judge_linear, linear_scores
from adjuster.metrics.ranking import Judgements, judge, rank_order, score_sessions
from adjuster.ticks import NEVER, tick_after
from experiments.replay.exact_sums import ExactSums
from experiments.replay.labels import Labels
from experiments.replay.layout import Layout
from experiments.replay.object_counts import ObjectCounts
from experiments.replay.objective import Objective
from experiments.replay.people import users_mean
from experiments.replay.timeline import Timeline

STRENGTHS = (1.0, 3.0, 10.0, 30.0, 100.0)
"""Showings that the average click rate counts for, as a prior."""

USUAL_STRENGTH = 10.0

SHARES = (0.03, 0.1, 0.3, 1.0, 3.0, 10.0)
"""Weight of the click rate where it is added to the similarity, in standard deviations."""


@dataclass(frozen=True)
class Popularity:
    """Scores by popularity, and the weights chosen on warmup.

    Args:
        alone: Shape ``(n_impressions,)``.
        added: Shape ``(n_impressions,)``: similarity plus weighted click rate.
        weights: What was chosen.
    """

    alone: NDArray[np.float64]
    added: NDArray[np.float64]
    weights: "Weights"


class Weights(NamedTuple):
    """What popularity is ranked with.

    Args:
        strength: Prior of the click rate alone, in showings.
        added_strength: Its prior where it is added to the similarity.
        added_weight: Its weight there, in units of similarity.
    """

    strength: float
    added_strength: float
    added_weight: float


@dataclass(frozen=True)
class Counted:
    """What a ranking by popularity is made of, of all impressions or of some.

    Args:
        clicks: Shape ``(n_impressions,)``: of each one's object so far.
        shown: Shape ``(n_impressions,)``.
        similarity: Shape ``(n_impressions,)``: with the originals.
        prior: Click rate of warmup.
    """

    clicks: NDArray[np.int64]
    shown: NDArray[np.int64]
    similarity: NDArray[np.float64]
    prior: float

    def rate(self, strength: float) -> NDArray[np.float64]:
        """The smoothed click rate."""
        rate: NDArray[np.float64] = (self.clicks + self.prior * strength) / (self.shown + strength)
        return rate

    def added(self, strength: float, weight: float) -> NDArray[np.float64]:
        """Similarity plus weighted click rate."""
        added: NDArray[np.float64] = self.similarity + weight * self.rate(strength)
        return added

    def first(self, n: int) -> "Counted":
        """The same of the first so many impressions."""
        return Counted(self.clicks[:n], self.shown[:n], self.similarity[:n], self.prior)

    def sums(self, means: NDArray[np.float64] | None = None) -> ExactSums:
        """Sums of similarity and click rate; of their squared distances from means, if given."""
        found = ExactSums()
        for group, column in enumerate((self.similarity, self.rate(USUAL_STRENGTH))):
            terms = column if means is None else (column - means[group]) ** 2
            found.add(terms, np.full(len(column), group))
        return found

    def candidates(self, scale: float) -> Iterator[NDArray[np.float64]]:
        """Scores under each of `choices_of`, in their order."""
        yield from (self.rate(strength) for strength in STRENGTHS)
        yield from (self.added(*choice) for choice in choices_of(scale))


@dataclass(frozen=True)
class Tried:
    """What rankings by popularity come to on warmup.

    Args:
        session: Shape ``(n,)``: the sessions that can be scored.
        values: Shape ``(n_candidates, n)``: see `Counted.candidates`.
    """

    session: NDArray[np.int64]
    values: NDArray[np.float64]


def rank_by_popularity(layout: Layout, *, interval_seconds: int) -> Popularity:
    """Score every impression by popularity, with the weights that were best in warmup.

    Without warmup the weights are a prior of 10 showings and one standard deviation.
    """
    timeline = layout.timeline
    clicks, shown = counts_so_far(timeline, interval_seconds)
    prior = click_rate(*warmup_clicks(timeline))
    counted = Counted(clicks, shown, layout.before.astype(np.float64), prior)
    # Warmup's spread, so that every window is offered the same weights.
    seen = counted.first(int(timeline.offsets[timeline.warmup_end]) or timeline.n_impressions)
    scale = scale_of(seen.sums(seen.sums().means()))
    tried = try_on_warmup(timeline, layout.labels, layout.objective, counted, scale)
    weights = choose_weights(tried, timeline.log.session_person, scale)
    return Popularity(
        alone=counted.rate(weights.strength),
        added=counted.added(weights.added_strength, weights.added_weight),
        weights=weights,
    )


def counts_so_far(
    timeline: Timeline,
    interval_seconds: int,
    earlier: tuple[ObjectCounts, ObjectCounts] | None = None,
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Clicks and showings of each impression's object, as of the last tick before its search.

    Withheld queries count for nothing.

    Args:
        timeline: The replay, or a stretch of it.
        interval_seconds: Seconds between ticks.
        earlier: Clicks and showings of the stretches before this one, which is added to them.

    Returns:
        Two arrays of shape ``(n_impressions,)``.
    """
    n_objects = timeline.log.n_objects
    clicks, showings = earlier or (ObjectCounts(n_objects), ObjectCounts(n_objects))
    created_at = timeline.created_at[timeline.session_of]
    used = ~timeline.withheld[timeline.session_of]
    clicked = used & (timeline.click_at < NEVER)
    arrived = np.maximum(timeline.click_at, created_at)
    objects = timeline.log.impression_object[: timeline.n_impressions].astype(np.int64)
    return (
        clicks.count(objects, tick_after(arrived, interval_seconds), clicked, created_at),
        showings.count(objects, tick_after(created_at, interval_seconds), used, created_at),
    )


def warmup_clicks(timeline: Timeline) -> tuple[int, int]:
    """How many results of warmup were clicked, and how many were shown."""
    clicked = timeline.click_at[: timeline.offsets[timeline.warmup_end]] < NEVER
    return int(clicked.sum()), len(clicked)


def click_rate(n_clicks: int, n_shown: int) -> float:
    """Their share; of nothing, one half."""
    return n_clicks / n_shown if n_shown else 0.5


def scale_of(squares: ExactSums) -> float:
    """Standard deviation of the similarity in units of that of the click rate.

    Args:
        squares: From `Counted.sums`.
    """
    similarity, rate = np.sqrt(squares.means())
    return float(similarity) / max(1e-12, float(rate))


def choices_of(scale: float) -> list[tuple[float, float]]:
    """The priors and weights that an added click rate is tried with."""
    return [(strength, share * scale) for strength in STRENGTHS for share in SHARES]


def choose_weights(tried: Tried, person: NDArray[np.int64], scale: float) -> Weights:
    """The weights that rank warmup best, users weighing alike; the usual ones without a label.

    Args:
        tried: What each came to.
        person: Shape ``(n_sessions,)``: who made each session.
        scale: From `scale_of`.
    """
    if not len(tried.session):
        return Weights(USUAL_STRENGTH, USUAL_STRENGTH, scale)
    user = person[tried.session]
    means = np.array([users_mean(row, user) for row in tried.values])
    n = len(STRENGTHS)
    return Weights(STRENGTHS[int(means[:n].argmax())], *choices_of(scale)[int(means[n:].argmax())])


def try_on_warmup(
    timeline: Timeline, labels: Labels, objective: Objective, counted: Counted, scale: float
) -> Tried:
    """What each ranking by popularity comes to on warmup, or on a stretch of it.

    Equal scores are ranked as in the blocks: never by the order in which the log showed them.
    """
    offsets = timeline.offsets[: timeline.warmup_end + 1]
    rows = labels.among_equals[: offsets[-1]]
    left_out = None if labels.left_out is None else labels.left_out[rows]
    judgements = judge(labels.gains[rows], offsets, left_out=left_out)
    n_candidates = len(STRENGTHS) + len(choices_of(scale))
    values = np.empty((n_candidates, len(judgements.scored)))
    if len(judgements.scored):
        score = _session_values(objective, judgements, rows)
        for row, scores in enumerate(counted.candidates(scale)):
            order = rank_order(scores[rows], offsets, left_out=left_out)
            values[row] = score(order)[judgements.scored]
    return Tried(judgements.scored.astype(np.int64), values)


def _session_values(
    objective: Objective, judgements: Judgements, rows: NDArray[np.int64]
) -> Callable[[NDArray[np.int64]], NDArray[np.float64]]:
    """What makes the sessions' values of a ranking, up to a factor common to all."""
    bias = objective.bias
    if bias is None:
        return lambda order: score_sessions(judgements, order)[objective.metric]
    judged = judge_linear(
        bias.gains[rows],
        judgements.offsets,
        metric=objective.metric,
        left_out=judgements.left_out,
    )
    return partial(linear_scores, judged)
