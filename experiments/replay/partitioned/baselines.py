"""The baselines that a log in partitions is scored with."""

from adjuster.fused_engine.knobs import rocchio_knobs
from adjuster.rocchio import RocchioWeights
from experiments.replay.baseline_names import LOGGED_ORDER, NO_ADJUSTMENT, ROCCHIO
from experiments.replay.baselines import Baseline
from experiments.replay.partitioned.replay import PartitionedReplay
from experiments.replay.settings import Settings


def score_in_partitions(replay: PartitionedReplay, settings: Settings) -> dict[str, Baseline]:
    """Score the baselines that need no more than one partition at a time.

    Popularity and headroom count an object's clicks by all users, and are left out.

    Args:
        replay: The replay, of any window.
        settings: Gives the interval between ticks, and Rocchio's selection of sessions.
    """
    knobs = rocchio_knobs(replay.log.index, RocchioWeights())
    return {
        NO_ADJUSTMENT: Baseline(replay.score_fixed(logged=False)),
        LOGGED_ORDER: Baseline(replay.score_fixed(logged=True)),
        ROCCHIO: Baseline(replay.run_knobs(knobs, settings)),
    }
