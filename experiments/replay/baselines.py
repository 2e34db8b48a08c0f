"""What any configuration has to beat, and the headroom that none is expected to pass."""

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from adjuster.fused_engine.knobs import rocchio_knobs
from adjuster.rocchio import RocchioWeights
from experiments.replay.baseline_names import (
    HEADROOM,
    LOGGED_ORDER,
    NO_ADJUSTMENT,
    POPULARITY,
    POPULARITY_ADDED,
    ROCCHIO,
)
from experiments.replay.headroom import rank_by_other_labels
from experiments.replay.layout import Layout
from experiments.replay.popularity import Weights, rank_by_popularity
from experiments.replay.replay import Replay
from experiments.replay.results import ReplayResult
from experiments.replay.settings import Settings
from experiments.replay.timeline import Timeline


@dataclass(frozen=True)
class Baseline:
    """A baseline's replay.

    Args:
        result: The replay.
        weights: What was chosen for it on warmup, by name.
    """

    result: ReplayResult
    weights: dict[str, float] = field(default_factory=dict)


def score_baselines(replay: Replay, settings: Settings) -> dict[str, Baseline]:
    """Score every baseline on a replay's sessions.

    Args:
        replay: The replay, of any window.
        settings: Gives the interval between ticks, and Rocchio's selection of sessions.

    Returns:
        Each of `BASELINES`. The logged order is flattered by position bias: users click what
        stands first.
    """
    layout, score = replay.layout, replay.score_ranking
    popularity = rank_by_popularity(layout, interval_seconds=settings.adjuster.interval_seconds)
    knobs = rocchio_knobs(layout.log.index, RocchioWeights())
    return {
        NO_ADJUSTMENT: Baseline(score(layout.before)),
        LOGGED_ORDER: Baseline(score(logged_order(layout))),
        **popular(score(popularity.alone), score(popularity.added), popularity.weights),
        ROCCHIO: Baseline(replay.run_knobs(knobs, settings)),
        HEADROOM: Baseline(score(rank_by_other_labels(layout, of="query"))),
    }


def popular(alone: ReplayResult, added: ReplayResult, weights: Weights) -> dict[str, Baseline]:
    """Both baselines by popularity."""
    strength, added_strength, added_weight = weights
    return {
        POPULARITY: Baseline(alone, {"strength": strength}),
        POPULARITY_ADDED: Baseline(added, {"strength": added_strength, "weight": added_weight}),
    }


def logged_order(layout: Layout) -> NDArray[np.float64]:
    """Scores that rank as the log shows, shape ``(n_impressions,)``."""
    return order_shown(layout.timeline)


def order_shown(timeline: Timeline) -> NDArray[np.float64]:
    """The same for any timeline, or a part of one."""
    shown = timeline.log.impression_position[: timeline.n_impressions]
    return -shown.astype(np.float64)
