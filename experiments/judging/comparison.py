"""One configuration against another on the same sessions: the gain and how sure it is."""

from collections.abc import Sequence
from dataclasses import dataclass, fields, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from experiments.judging.statistics import (
    N_RESAMPLES,
    cluster_means,
    cluster_numbers,
    effect_size,
    holm,
    mean_interval,
    randomization_p_value,
)
from experiments.replay.results import SessionScores


@dataclass(frozen=True)
class Comparison:
    """The paired difference of a metric, over means of each user's sessions.

    Args:
        metric: Name of the metric.
        reference: What it is compared with, in words.
        n_sessions: Sessions on both sides.
        n_clusters: Users, and sessions of unknown user, each of which counts once.
        n_users: Known users among them.
        n_changed: Those of them whose mean differs at all.
        reference_mean: Mean over clusters of the reference.
        mean: Mean over clusters of the configuration; ``mean - reference_mean`` is the gain.
        gain: The mean difference.
        low: Lower end of the gain's interval.
        high: Upper end of it.
        confidence: Confidence of the interval, both ends together.
        p_value: Two-sided p-value of the paired randomisation test.
        p_holm: The same, adjusted for the family it was tested with.
        effect_size: Cohen's d of the paired differences; NaN where it is not defined.
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
    p_value: float
    p_holm: float
    effect_size: float


def cluster_text(comparison: Comparison) -> str:
    """Who counts in a comparison, in words: users, and sessions whose user is unknown."""
    n_users = comparison.n_users
    unknown = comparison.n_clusters - n_users
    users = f"{n_users} user" if n_users == 1 else f"{n_users} users"
    if not unknown:
        return users
    sessions = f"{unknown} session{'' if unknown == 1 else 's'} of unknown users"
    return f"{users} and {sessions}" if n_users else sessions


@dataclass(frozen=True)
class Judge:
    """What is compared, and how sure a comparison is to be.

    Args:
        metric: The metric, one of those in the rows.
        seed: Seed of the resampling.
        confidence: Confidence of the intervals, in (0, 1).
        n_resamples: Resamples of the bootstrap, >= 1.
    """

    metric: str
    seed: int
    confidence: float = 0.95
    n_resamples: int = N_RESAMPLES


def compare_with_no_adjustment(scores: SessionScores, judge: Judge) -> Comparison:
    """After adjustment against before, session by session.

    Args:
        scores: The rows of a replay.
        judge: What is compared, and how surely.
    """
    before, after = scores.before[judge.metric], scores.after[judge.metric]
    return _compare(scores.user, after, before, "no adjustment", judge)


def compare_with(
    scores: SessionScores, reference: SessionScores, judge: Judge, *, name: str
) -> Comparison:
    """One configuration after adjustment against another, on the same sessions.

    Args:
        scores: The rows of a replay.
        reference: The rows of the other's replay.
        judge: What is compared, and how surely.
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
    mine, other = scores.after[judge.metric], reference.after[judge.metric]
    return _compare(scores.user, mine, other, name, judge)


def _compare(
    user: NDArray[np.int64],
    values: NDArray[np.float64],
    reference: NDArray[np.float64],
    name: str,
    judge: Judge,
) -> Comparison:
    clusters = cluster_numbers(user)
    differences = cluster_means(values - reference, clusters)
    interval = mean_interval(
        differences,
        seed=judge.seed,
        confidence=judge.confidence,
        n_resamples=judge.n_resamples,
    )
    p_value = randomization_p_value(differences, seed=judge.seed)
    return Comparison(
        metric=judge.metric,
        reference=name,
        n_sessions=len(user),
        n_clusters=len(differences),
        n_users=len(np.unique(user[user >= 0])),
        n_changed=int(np.count_nonzero(differences)),
        reference_mean=_mean(cluster_means(reference, clusters)),
        mean=_mean(cluster_means(values, clusters)),
        gain=_mean(differences),
        low=interval.low,
        high=interval.high,
        confidence=interval.confidence,
        p_value=p_value,
        p_holm=p_value,
        effect_size=effect_size(differences),
    )


def _mean(values: NDArray[np.float64]) -> float:
    return float(values.mean()) if len(values) else 0.0


def adjust_family(comparisons: Sequence[Comparison]) -> list[Comparison]:
    """The same comparisons with `p_holm` adjusted for how many of them there are."""
    adjusted = holm(np.array([item.p_value for item in comparisons]))
    return [replace(item, p_holm=float(p)) for item, p in zip(comparisons, adjusted, strict=True)]


def concatenate(parts: Sequence[SessionScores]) -> SessionScores:
    """Rows of several replays, one below the other.

    Sums by position are of whole replays and are left out.
    """
    first = parts[0]
    columns: dict[str, Any] = {}
    for item in fields(SessionScores):
        values = [getattr(part, item.name) for part in parts]
        if isinstance(values[0], np.ndarray):
            columns[item.name] = np.concatenate(values)
        elif isinstance(values[0], dict):
            columns[item.name] = {
                name: np.concatenate([value[name] for value in values]) for name in values[0]
            }
    return replace(first, **columns, positions=None)
