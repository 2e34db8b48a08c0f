"""One configuration against another on the same sessions: the gain and how sure it is."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from adjuster.metrics.interval import Interval
from experiments.judging.clustered_interval import ClusteredInterval, clustered_interval
from experiments.judging.influence import Influence, ratio, users_mean
from experiments.judging.propensity_uncertainty import with_propensity_draws
from experiments.judging.statistics import N_RESAMPLES, cluster_means, cluster_numbers, effect_size
from experiments.replay.results import SessionScores

DAY = 86_400


@dataclass(frozen=True)
class Judge:
    """How two configurations are compared.

    Args:
        metric: The metric compared: a key of the sessions' scores.
        seed: Seed of the resampling.
        confidence: Of the two-sided interval.
        n_resamples: Resamples of the bootstrap.
    """

    metric: str
    seed: int
    confidence: float = 0.95
    n_resamples: int = N_RESAMPLES


@dataclass(frozen=True)
class Comparison:
    """The difference of a metric on the same sessions, over the mean session of each user.

    Args:
        metric: Name of the metric.
        reference: What it is compared with, in words.
        n_sessions: Sessions on both sides.
        n_clusters: Users, and sessions of unknown user, each of which counts once.
        n_users: Known users among them.
        n_changed: Those of them whose mean differs at all.
        reference_mean: Mean over users of the reference.
        mean: Mean over users of the configuration; ``mean - reference_mean`` is the gain.
        gain: The difference.
        low: Lower end of the gain's interval; NaN where the data leave it undetermined.
        high: Upper end of it; NaN likewise.
        confidence: Of the interval, both ends together.
        clustering: What the interval takes for independent: ``users``, ``units`` (query and day
            of those who share vectors) or ``both``, whichever made it widest.
        error: Standard error under that clustering; NaN where it is not known.
        n_effective: How many equal clusters say as much.
        session_gain: The mean difference over sessions, which lets busy users count more.
        effect_size: Cohen's d over users; NaN where it is not defined.
    """

    metric: str
    reference: str
    n_sessions: int
    n_clusters: int
    n_users: int
    n_changed: int
    reference_mean: float
    mean: float
    gain: float
    low: float
    high: float
    confidence: float
    clustering: str
    error: float
    n_effective: float
    session_gain: float
    effect_size: float

    @property
    def is_determined(self) -> bool:
        """Whether both ends of the interval are known."""
        return self.low == self.low and self.high == self.high


def cluster_text(comparison: Comparison) -> str:
    """Who counts in a comparison, in words: users, and sessions whose user is unknown."""
    n_users = comparison.n_users
    unknown = comparison.n_clusters - n_users
    users = f"{n_users:,} user" if n_users == 1 else f"{n_users:,} users"
    if not unknown:
        return users
    sessions = f"{unknown:,} session{'' if unknown == 1 else 's'} of unknown users"
    return f"{users} and {sessions}" if n_users else sessions


def compare_with_no_adjustment(scores: SessionScores, judge: Judge) -> Comparison:
    """After adjustment against before, session by session."""
    after, before = scores.after[judge.metric], scores.before[judge.metric]
    draws = None if scores.positions is None else scores.positions.after - scores.positions.before
    return _compare(scores, after, before, draws, judge, "no adjustment")


def compare_with(
    scores: SessionScores, reference: SessionScores, judge: Judge, *, name: str
) -> Comparison:
    """One configuration after adjustment against another, on the same sessions.

    Args:
        scores: The rows of a replay.
        reference: The rows of the other's replay.
        judge: How they are compared.
        name: The other's name, in words.

    Raises:
        ValueError: If the two do not score the same sessions in the same order.
    """
    if not np.array_equal(scores.session, reference.session):
        raise ValueError(
            f"Comparing with {name} needs the same scored sessions on both sides, got "
            f"{len(scores.session)} and {len(reference.session)} that are not the same. "
            "Replay both on one data set with one replay configuration."
        )
    after, before = scores.after[judge.metric], reference.after[judge.metric]
    mine, theirs = scores.positions, reference.positions
    draws = None if mine is None or theirs is None else mine.after - theirs.after
    return _compare(scores, after, before, draws, judge, name)


def shared_units(scores: SessionScores) -> NDArray[np.int64] | None:
    """What sessions share beside their user: the query and day of those who share vectors.

    Users who read the same vectors see what others taught on their query the day before: their
    sessions err together.

    Returns:
        Shape ``(n_sessions,)``, numbered from 0 without gaps; None where nobody shares.
    """
    pairs = np.unique(np.stack([scores.owner, scores.user]), axis=1)
    if len(np.unique(pairs[0])) == pairs.shape[1] and (scores.user >= 0).all():
        return None
    keys = np.stack([scores.owner, scores.query, scores.created_at // DAY])
    numbers: NDArray[np.int64] = np.unique(keys, axis=1, return_inverse=True)[1]
    return numbers.ravel()


def gain_of(
    scores: SessionScores, differences: NDArray[np.float64], metric: str
) -> tuple[Influence, NDArray[np.int64]]:
    """A mean difference over users with what each session contributes to its error.

    Args:
        scores: Gives users, and weights where the metric is estimated by weighting.
        differences: Shape ``(n_sessions,)``.
        metric: Whose differences they are.

    Returns:
        The influence and the users' numbers.
    """
    users = cluster_numbers(scores.user)
    gain = users_mean(differences, users)
    if scores.weight is None or metric != scores.weighted_metric:
        return gain, users
    return ratio(gain, users_mean(scores.weight, users)), users


def _compare(
    scores: SessionScores,
    values: NDArray[np.float64],
    reference: NDArray[np.float64],
    by_position: NDArray[np.float64] | None,
    judge: Judge,
    name: str,
) -> Comparison:
    if not len(scores.session):
        return _of_nothing(judge, name)
    differences = values - reference
    found = interval_of(scores, differences, judge)
    interval = _unsure(scores, found, by_position, judge.metric)
    by_user = cluster_means(differences, cluster_numbers(scores.user))
    reference_mean = gain_of(scores, reference, judge.metric)[0].estimate
    return Comparison(
        metric=judge.metric,
        reference=name,
        n_sessions=len(scores.session),
        n_clusters=len(by_user),
        n_users=len(np.unique(scores.user[scores.user >= 0])),
        n_changed=int(np.count_nonzero(by_user)),
        reference_mean=reference_mean,
        mean=reference_mean + found.estimate,
        gain=found.estimate,
        low=interval.low,
        high=interval.high,
        confidence=interval.confidence,
        clustering=found.widest,
        error=found.error,
        n_effective=found.n_effective,
        session_gain=float(differences.mean()),
        effect_size=effect_size(by_user),
    )


def _of_nothing(judge: Judge, name: str) -> Comparison:
    nan = float("nan")
    return Comparison(
        metric=judge.metric,
        reference=name,
        n_sessions=0,
        n_clusters=0,
        n_users=0,
        n_changed=0,
        reference_mean=0.0,
        mean=0.0,
        gain=0.0,
        low=nan,
        high=nan,
        confidence=judge.confidence,
        clustering="users",
        error=nan,
        n_effective=0.0,
        session_gain=0.0,
        effect_size=nan,
    )


def interval_of(
    scores: SessionScores, differences: NDArray[np.float64], judge: Judge
) -> ClusteredInterval:
    """The interval of a mean difference over users, clustered by all that sessions share.

    What estimated propensities leave open is not in it.

    Args:
        scores: The sessions, at least one.
        differences: Shape ``(n_sessions,)``.
        judge: Whose metric it is, and how sure the interval is to be.
    """
    influence, users = gain_of(scores, differences, judge.metric)
    return clustered_interval(
        influence,
        users,
        shared_units(scores),
        seed=judge.seed,
        confidence=judge.confidence,
        n_resamples=judge.n_resamples,
    )


def _unsure(
    scores: SessionScores,
    found: ClusteredInterval,
    by_position: NDArray[np.float64] | None,
    metric: str,
) -> Interval:
    """The interval with what the estimated propensities leave open, if the metric uses them."""
    positions = scores.positions
    if metric != scores.weighted_metric or by_position is None or positions is None:
        return found.interval
    if not len(positions.draws):
        return found.interval
    return with_propensity_draws(found.estimate, found.interval, positions.drawn(by_position))


def concatenate(parts: Sequence[SessionScores]) -> SessionScores:
    """Rows of several replays, one below the other.

    Sums by position are of whole replays and are left out.
    """
    return _column_by_column(parts, np.concatenate)


def select(scores: SessionScores, kept: NDArray[np.bool_]) -> SessionScores:
    """Some of the rows; sums by position are of whole replays and are left out.

    Args:
        scores: The rows.
        kept: Shape ``(n,)``: which to keep.
    """
    return _column_by_column([scores], lambda columns: columns[0][kept])


def _column_by_column(
    parts: Sequence[SessionScores], change: Callable[[list[NDArray[Any]]], NDArray[Any]]
) -> SessionScores:
    """Rows whose every column is made of the same column of the parts."""
    first = parts[0]
    columns: dict[str, Any] = {}
    for item in fields(SessionScores):
        values = [getattr(part, item.name) for part in parts]
        if isinstance(values[0], np.ndarray):
            columns[item.name] = change(values)
        elif isinstance(values[0], dict):
            columns[item.name] = {
                name: change([value[name] for value in values]) for name in values[0]
            }
    return replace(first, **columns, positions=None)
