"""What a log can tell, foreseen before the first trial: no study is begun that cannot end well.

Of the sealed test only counts are known. How good anything is comes from tune.
"""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from experiments.judging.clustered_interval import Clustering, clustering, two_way
from experiments.judging.comparison import gain_of, shared_units
from experiments.judging.detectable_effect import (
    clusters_to_settle,
    detectable_gain,
    spread_between,
)
from experiments.judging.evidence import LARGEST_UNKNOWN_SHARE
from experiments.judging.verdict import FEWEST_USERS
from experiments.replay.objective import Objective
from experiments.replay.position.identifiability import Movement, measure_movement
from experiments.replay.results import SessionScores
from experiments.replay.scorable import Scorable

Obstacle = Literal[
    "no reach", "unidentified", "unknown users", "few users", "no headroom", "undetectable"
]


class Detectable(NamedTuple):
    """What a test of some size finds; made by `detectable_on`.

    Args:
        gain: The smallest true gain that it finds four times in five; NaN where nothing is known.
        n_needed: People with which a gain as large as the headroom would be found; NaN where
            nothing is known, or no number would do.
    """

    gain: float
    n_needed: float


class Reference(NamedTuple):
    """A setting that gains where there is something to gain.

    Args:
        name: What it is called, in words.
        scores: Its rows on tune.
    """

    name: str
    scores: SessionScores


UNKNOWN = Detectable(math.nan, math.nan)


@dataclass(frozen=True)
class Outlook:
    """What a log can tell; made by `foresee`.

    Args:
        objective: The figure that a study maximises, a key of a replay's metrics.
        reason: Why this one, in one sentence.
        unidentified: Why position and relevance cannot be told apart; "" where they can, or
            need not be.
        movement: How results moved among positions, up to tune's end.
        test: What of the sealed test can be scored.
        reference: Name of the setting that was replayed to know; "" where none can be.
        detectable: What the test finds.
        reach: Share of tune's scored sessions in which the reference shows an adjusted object; NaN
            where it cannot be replayed.
        headroom: The largest gain on tune of the oracles, which know what will be clicked, and of
            the reference.
        min_gain: The smallest gain worth having.
    """

    objective: str
    reason: str
    unidentified: str
    movement: Movement
    test: Scorable
    reference: str
    detectable: Detectable
    reach: float
    headroom: float
    min_gain: float

    @property
    def unknown_share(self) -> float:
        """Share of the test's scorable sessions whose user is not known, in [0, 1]."""
        return self.test.n_unknown / max(self.test.n_scorable, 1)

    @property
    def obstacles(self) -> tuple[Obstacle, ...]:
        """Why no setting can be adopted, whatever a study finds; empty where nothing is known of.

        The bounds are those of the verdict.
        """
        return tuple(self._obstacles())

    def _obstacles(self) -> Iterator[Obstacle]:
        if self.reach == 0:
            yield "no reach"
        if self.unidentified:
            yield "unidentified"
        if self.unknown_share > LARGEST_UNKNOWN_SHARE:
            yield "unknown users"
        elif self.test.n_scorable_users < FEWEST_USERS:
            yield "few users"
        if self.headroom < self.min_gain:
            yield "no headroom"
        elif self.detectable.gain > self.headroom:
            yield "undetectable"


def foresee(
    objective: Objective,
    test: Scorable,
    oracles: Sequence[float],
    reference: Reference | None,
    min_gain: float,
) -> Outlook:
    """What a log can tell.

    Args:
        objective: What a study would maximise, chosen up to tune's end.
        test: Counts of the sealed test.
        oracles: Gains on tune of rankings that know what will be clicked.
        reference: Its gain counts as headroom too, since no oracle bounds what vectors of each
            person's own can do, and its spread stands for the finalist's. None where no setting
            can be replayed.
        min_gain: The smallest gain worth having.
    """
    key = objective.key
    scores = None if reference is None else reference.scores
    gains = [*oracles, math.nan if scores is None else _gain(scores, key)]
    headroom = max((gain for gain in gains if not math.isnan(gain)), default=math.nan)
    return Outlook(
        objective=key,
        reason=objective.reason,
        unidentified=objective.unidentified,
        movement=movement_of(objective),
        test=test,
        reference="" if reference is None else reference.name,
        detectable=UNKNOWN if scores is None else detectable_on(test, scores, key, headroom),
        reach=float(scores.reached.mean()) if scores and len(scores.reached) else math.nan,
        headroom=headroom,
        min_gain=min_gain,
    )


def movement_of(objective: Objective) -> Movement:
    """How results moved among positions in the log that an objective was chosen on."""
    clicks = objective.clicks
    if objective.estimator in ("estimated", "naive") and not clicks.is_silent:
        return clicks.identifiability.movement
    return measure_movement(clicks.log, clicks.score)


def _gain(scores: SessionScores, metric: str) -> float:
    differences = scores.after[metric] - scores.before[metric]
    return gain_of(scores, differences, metric)[0].estimate if len(differences) else math.nan


class _Way(NamedTuple):
    """One way in which the test's sessions depend.

    Args:
        error: Standard error of the gain if the test's clusters are like tune's.
        n_clusters: Clusters of equal weight on the test.
        largest_loss: What one of them may lose unseen; 0 asks nothing of the kind.
    """

    error: float
    n_clusters: float
    largest_loss: float

    @property
    def spread(self) -> float:
        """Standard deviation between clusters."""
        return spread_between(self.error, self.n_clusters)


def detectable_on(
    test: Scorable, scores: SessionScores, metric: str, headroom: float
) -> Detectable:
    """What the test finds, if gains vary there as this one does on tune.

    As for the verdict's interval, sessions depend through their user, and where vectors are shared
    through query and day: the worst of these ways counts, each with as many clusters as the test
    holds, and with the same inequality of their weights as on tune. Unseen users may lose all that
    they have (`hidden_loss`). Unlike people, propensities do not become surer with the test.

    Args:
        test: Counts of the sealed test.
        scores: Rows on tune of the setting whose spread is taken.
        metric: The objective.
        headroom: The gain that `Detectable.n_needed` is about.

    Returns:
        `UNKNOWN` where the setting changes nothing, or too few on either side could differ.
    """
    differences = scores.after[metric] - scores.before[metric]
    if not differences.any() or not test.n_people:
        return UNKNOWN
    ways = list(_ways(test, scores, differences, metric))
    gains = [
        detectable_gain(way.spread, way.n_clusters, largest_loss=way.largest_loss) for way in ways
    ]
    if not np.isfinite(gains).all():
        return UNKNOWN
    needed = max(_times(way, headroom) for way in ways) * test.n_people
    return Detectable(max(gains), float(math.ceil(needed)) if math.isfinite(needed) else math.nan)


def _times(way: _Way, gain: float) -> float:
    """How many times as many clusters would find this gain."""
    if not gain > 0:
        return math.inf
    return clusters_to_settle(gain, way.spread, largest_loss=way.largest_loss) / way.n_clusters


def _ways(
    test: Scorable, scores: SessionScores, differences: NDArray[np.float64], metric: str
) -> Iterator[_Way]:
    influence, users = gain_of(scores, differences, metric)
    units = shared_units(scores)
    loss = max(gain_of(scores, scores.before[metric], metric)[0].estimate, 0.0)
    open_error = _propensity_error(scores, metric)
    growth = test.n_people / (int(users.max()) + 1)
    by_user = clustering(influence, users)
    yield _on_test(by_user, growth, open_error, loss)
    if units is not None:
        growth_of_units = test.n_units / (int(units.max()) + 1)
        yield _on_test(clustering(influence, units), growth_of_units, open_error, 0.0)
        both = two_way(influence, users, units)
        yield _on_test(both, min(growth, growth_of_units), open_error, 0.0)


def _on_test(tune: Clustering, growth: float, open_error: float, loss: float) -> _Way:
    """A way on a test with so many times as many clusters."""
    error = math.hypot(tune.error / math.sqrt(growth), open_error)
    return _Way(error, tune.n_effective * growth, loss)


def _propensity_error(scores: SessionScores, metric: str) -> float:
    """Standard error of a debiased gain that comes of its estimated propensities."""
    sums = scores.positions
    if metric != scores.weighted_metric or sums is None or len(sums.draws) < 2:
        return 0.0
    return float(sums.drawn(sums.after - sums.before).std(ddof=1))
