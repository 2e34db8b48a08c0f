"""What any configuration has to beat: no adjustment, the logged order, popularity, Rocchio."""

from dataclasses import replace

import numpy as np

from adjuster.fused_engine.knobs import rocchio_knobs
from adjuster.rocchio import RocchioWeights
from experiments.replay.popularity import rank_by_popularity
from experiments.replay.replay import Replay
from experiments.replay.results import ReplayResult
from experiments.replay.settings import Settings

BASELINES = ("no_adjustment", "logged_order", "popularity", "popularity_added", "rocchio")


def score_baselines(replay: Replay, settings: Settings) -> dict[str, ReplayResult]:
    """Score every baseline on a replay's sessions.

    Args:
        replay: The replay.
        settings: Gives the interval between ticks, and Rocchio's selection of sessions.

    Returns:
        Each of `BASELINES` → its result. The logged order is flattered by position bias: users
        click what stands first. The weights of popularity stand in its `extra`.
    """
    popularity = rank_by_popularity(replay, interval_seconds=settings.adjuster.interval_seconds)
    knobs = rocchio_knobs(replay.log.index, RocchioWeights())
    alone = replay.score_ranking(popularity.alone)
    added = replay.score_ranking(popularity.added)
    return {
        "no_adjustment": replay.score_ranking(replay.before),
        "logged_order": replay.score_ranking(logged_order(replay)),
        "popularity": replace(alone, extra={"strength": popularity.strength}),
        "popularity_added": replace(
            added,
            extra={"strength": popularity.added_strength, "weight": popularity.added_weight},
        ),
        "rocchio": replay.run_knobs(knobs, settings),
    }


def logged_order(replay: Replay) -> np.ndarray:
    """Scores that rank as the log shows."""
    return -replay.log.impression_position[: replay.timeline.n_impressions].astype(np.float64)
