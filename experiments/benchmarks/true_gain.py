"""What a setting truly gains on a kind of made log, beside what its clicks say."""

from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
from numpy.typing import NDArray

from experiments.config.replay import ObjectiveConfig, ReplayConfig
from experiments.data.format.folder import load_click_log
from experiments.data.made.kinds import Kind
from experiments.data.made.simulated import prepare_simulated
from experiments.judging.statistics import cluster_means, cluster_numbers
from experiments.replay.replay import replay_maker
from experiments.replay.results import SessionScores
from experiments.replay.settings import Settings


@dataclass(frozen=True)
class TrueGain:
    """Gains of NDCG@10 over no adjustment, over all sessions after warmup.

    Args:
        judged: By true relevance, mean over users' means.
        error: Its standard error over users; infinite for one user.
        naive: By clicks as they are, mean over users' means.
        debiased: By clicks weighted with the true propensities, mean over sessions.
    """

    judged: float
    error: float
    naive: float
    debiased: float


def true_gain(kind: Kind, seed: int, settings: Settings) -> TrueGain:
    """Make a kind's log with its truth and replay a setting over it.

    Args:
        kind: Of the catalogue.
        seed: Of the log, >= 0.
        settings: What is tried.
    """
    with TemporaryDirectory() as folder:
        path = Path(folder) / "log"
        prepare_simulated(path, replace(kind.config, log_truth=True), seed)
        log = load_click_log(path)
    config = ReplayConfig(personalize_by=kind.personalize_by)
    clicks, truth = ObjectiveConfig(propensity="logged"), ObjectiveConfig(label="relevance")
    naive = replay_maker(log, clicks)(config, "all").run(settings)
    judged = replay_maker(log, truth)(config, "all").run(settings)
    by_clicks, by_truth = (_users_gains(result.sessions) for result in (naive, judged))
    n = len(by_truth)
    return TrueGain(
        float(by_truth.mean()),
        float(by_truth.std(ddof=1) / np.sqrt(n)) if n > 1 else float("inf"),
        float(by_clicks.mean()),
        naive.metrics["delta_debiased_ndcg_at_10"],
    )


def _users_gains(sessions: SessionScores) -> NDArray[np.float64]:
    change = sessions.after["ndcg_at_10"] - sessions.before["ndcg_at_10"]
    return cluster_means(change, cluster_numbers(sessions.user))
