"""What a sealed test shows of a finalist, gathered for the verdict."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from experiments.judging.clustered_interval import ClusteredInterval
from experiments.judging.comparison import Comparison, Judge, interval_of, shared_units
from experiments.judging.crowding import Crowd
from experiments.judging.detectable_effect import (
    clusters_to_settle,
    detectable_gain,
    spread_between,
)
from experiments.judging.enough_clusters import clusters_needed
from experiments.judging.statistics import cluster_means, cluster_numbers
from experiments.judging.trend import Trend, trend
from experiments.replay.results import SessionScores

DAY = 86_400

LARGEST_UNKNOWN_SHARE = 0.05
"""Share of sessions without a user that cannot carry a verdict."""


LEAST_LASTING = 0.2
"""Part of a gain on objects clicked before that must be there a week later, to be a liking."""


@dataclass(frozen=True)
class Rival:
    """Something simpler than the finalist, on the same sessions.

    Args:
        name: Its name, in words.
        value: Its metric, over users' means.
        lead: The finalist's gain over it.
    """

    name: str
    value: float
    lead: Comparison

    @property
    def is_better(self) -> bool:
        """Whether the finalist clearly falls behind it."""
        return self.lead.high < 0

    @property
    def is_as_good(self) -> bool:
        """Whether the finalist is not clearly ahead of it."""
        return not self.lead.low > 0


@dataclass(frozen=True)
class Split:
    """A gain in two: on objects that the user clicked in an earlier session, and on all others.

    Args:
        refound: The part on objects clicked before.
        new: The part on all others.
        lasting: The part on objects that the user last clicked more than a week before, as far
            as they are clicked more than what the user never clicked; None in records of old.
    """

    refound: ClusteredInterval
    new: ClusteredInterval
    lasting: ClusteredInterval | None = None

    @property
    def is_refinding(self) -> bool:
        """Whether people finding again what they had clicked explains the gain by itself.

        It does not where people still click after a week: that they like. Vectors of one's own
        learn of no other user's clicks, so that new objects alone could not tell the two apart.
        """
        return self.refound.interval.low > 0 and not self.new.estimate > 0 and not self._lasts

    @property
    def _lasts(self) -> bool:
        part = self.lasting
        if part is None or not part.interval.low > 0:
            return False
        return part.estimate >= LEAST_LASTING * self.refound.estimate


@dataclass(frozen=True)
class Power:
    """What the test part can tell.

    Args:
        detectable: The smallest true gain that it finds four times in five.
        n_users: Users it holds.
        n_days: Days it lasts.
        n_needed: Users with which this finalist's gain would be settled; infinite where none
            would do.
    """

    detectable: float
    n_users: int
    n_days: float
    n_needed: float

    @property
    def days_needed(self) -> float:
        """Days of such traffic with which it would be settled."""
        return self.n_days * self.n_needed / self.n_users if self.n_users else math.inf


@dataclass(frozen=True)
class Weighting:
    """How clicks were weighted by the inverse of their propensities.

    Args:
        effective_clicks: How many equally weighted clicks these are worth.
        clipped_share: Share of the clicks whose weight was cut off, and made up for by a click
            model (doubly robust).
    """

    effective_clicks: float
    clipped_share: float


@dataclass(frozen=True)
class Evidence:
    """All that the verdict looks at.

    Args:
        gain: The finalist against no adjustment, by the objective.
        naive: The same with clicks taken as they are; None where the objective does that.
        weighting: How clicks were weighted; None where they are taken as they are, or not at all.
        metrics: ``drift_mean``, ``harmed_share`` and ``reach`` of the finalist's replay.
        unidentified: Why position and relevance cannot be told apart; "" where they can.
        n_needed: Users that a claimed gain of this spread and skew needs.
        unknown_share: Share of scored sessions whose user is unknown.
        crowding: What speaks against the clicks being many people's.
        split: The gain on objects clicked before and on new ones; None where nothing was scored.
        trend: How the gain went on; None where the test is of one moment.
        bystanders: The change on queries whose feedback was withheld; None where none was scored.
        silent_share: Share of the traffic whose query had no feedback before.
        rivals: What else was tried on the same sessions.
        power: What the test can tell.
    """

    gain: Comparison
    naive: Comparison | None
    weighting: Weighting | None
    metrics: Mapping[str, float]
    unidentified: str
    n_needed: float
    unknown_share: float
    crowding: tuple[Crowd, ...]
    split: Split | None
    trend: Trend | None
    bystanders: Comparison | None
    silent_share: float
    rivals: tuple[Rival, ...]
    power: Power


def users_needed(scores: SessionScores, metric: str, reference_mean: float) -> float:
    """Users that a claimed gain needs, by its size and skew (`clusters_needed`)."""
    differences = cluster_means(
        scores.after[metric] - scores.before[metric], cluster_numbers(scores.user)
    )
    if not len(differences):
        return math.inf
    return clusters_needed(differences, largest_loss=max(reference_mean, 1e-9))


def split_gain(scores: SessionScores, judge: Judge) -> Split | None:
    """The gain on objects that the user clicked in an earlier session, and on all others."""
    if not len(scores.session):
        return None
    whole = scores.after[judge.metric] - scores.before[judge.metric]
    return Split(
        refound=interval_of(scores, scores.refound, judge),
        new=interval_of(scores, whole - scores.refound, judge),
        lasting=interval_of(scores, scores.lasting, judge),
    )


def trend_of(scores: SessionScores, judge: Judge) -> Trend | None:
    """How the gain went on over the test; None where all of it is of one moment."""
    if len(np.unique(scores.created_at)) < 2:
        return None
    return trend(
        scores.after[judge.metric] - scores.before[judge.metric],
        scores.user,
        shared_units(scores),
        scores.created_at.astype(np.float64),
        seed=judge.seed,
        confidence=judge.confidence,
    )


def power_of(gain: Comparison, scores: SessionScores, min_gain: float) -> Power:
    """What the test part can tell, from how much this gain varies between users.

    Args:
        gain: The finalist against no adjustment.
        scores: Its sessions.
        min_gain: The smallest gain worth having.
    """
    n_days = float(np.ptp(scores.created_at)) / DAY if len(scores.session) else 0.0
    if not gain.n_effective > 1 or math.isnan(gain.error):
        return Power(math.inf, gain.n_users, n_days, math.inf)
    spread = spread_between(gain.error, gain.n_effective)
    detectable = detectable_gain(spread, gain.n_effective, confidence=gain.confidence)
    # Settled is a gain that is shown, or shown to be too small to be worth having.
    distance = max(gain.gain, min_gain - gain.gain, 1e-6)
    ratio = clusters_to_settle(distance, spread, confidence=gain.confidence) / gain.n_effective
    needed = math.ceil(ratio * gain.n_users) if math.isfinite(ratio) else math.inf
    return Power(detectable, gain.n_users, n_days, needed)


def unknown_share(scores: SessionScores) -> float:
    """Share of the scored sessions whose user is unknown."""
    return float((scores.user < 0).mean()) if len(scores.session) else 0.0


def rank_rivals(rivals: Sequence[Rival]) -> tuple[Rival, ...]:
    """The rivals, the best first."""
    return tuple(sorted(rivals, key=lambda rival: -rival.value))
