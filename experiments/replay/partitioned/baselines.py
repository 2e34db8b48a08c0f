"""The baselines that a log in partitions is scored with."""

from adjuster.fused_engine.knobs import rocchio_knobs
from adjuster.rocchio import RocchioWeights
from experiments.replay.baseline_names import LOGGED_ORDER, NO_ADJUSTMENT, ROCCHIO
from experiments.replay.baselines import Baseline, popular
from experiments.replay.partitioned.popularity import score_popularity
from experiments.replay.partitioned.replay import PartitionedReplay
from experiments.replay.partitioned.workbench import Workbench
from experiments.replay.settings import Settings


def score_in_partitions(replay: PartitionedReplay, settings: Settings) -> dict[str, Baseline]:
    """Score the baselines that need no more than one partition at a time.

    Headroom looks at all labels of a query at once, and is left out; it is no rival of anything.

    Args:
        replay: The replay, of any window.
        settings: Gives the interval between ticks, and Rocchio's selection of sessions.
    """
    knobs = rocchio_knobs(replay.log.index, RocchioWeights())
    return {
        NO_ADJUSTMENT: Baseline(replay.score_fixed(Workbench.originals)),
        LOGGED_ORDER: Baseline(replay.score_fixed(Workbench.logged_order)),
        **popular(*score_popularity(replay, settings.adjuster.interval_seconds)),
        ROCCHIO: Baseline(replay.run_knobs(knobs, settings)),
    }
