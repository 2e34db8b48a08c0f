"""The objective with clicks weighted against position bias, beside the naive one."""

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from adjuster.metrics.debiased import judge_debiased, self_normalised_mean
from adjuster.metrics.ranking import score_sessions
from experiments.config.replay import ObjectiveConfig
from experiments.replay.blocks import ScoringBlock
from experiments.replay.labels import Labels
from experiments.replay.propensity import propensities
from experiments.replay.scorers import Columns
from experiments.replay.timeline import Timeline


class Debiased:
    """A debiased NDCG of every scored session, before and after.

    Args:
        timeline: The replay.
        objective: Where propensities come from, and their clipping.
        labels: The gains.
        blocks: The replay's blocks.
    """

    columns = ("before_debiased", "debiased", "weight")

    def __init__(
        self,
        timeline: Timeline,
        objective: ObjectiveConfig,
        labels: Labels,
        blocks: tuple[ScoringBlock, ...],
    ) -> None:
        self.metric = objective.metric if "ndcg" in objective.metric else "ndcg_at_10"
        weights = propensities(timeline, objective)
        self.judgements = [
            judge_debiased(
                labels.gains[block.rows],
                weights[block.rows],
                block.judgements.offsets,
                clip=objective.propensity_clip,
                left_out=block.judgements.left_out,
            )
            for block in blocks
        ]

    def score(self, number: int, before: NDArray[np.int64], after: NDArray[np.int64]) -> Columns:
        """See `SessionScorer.score`."""
        judged = self.judgements[number]
        return {
            "before_debiased": score_sessions(judged.judgements, before)[self.metric],
            "debiased": score_sessions(judged.judgements, after)[self.metric],
            "weight": judged.session_weights,
        }

    def summarize(self, columns: Columns, metrics: Mapping[str, float]) -> dict[str, float]:
        """Self-normalised means over sessions, and how many equal sessions they are worth."""
        old, new = (
            self_normalised_mean(columns[name], columns["weight"])
            for name in ("before_debiased", "debiased")
        )
        name = f"debiased_{self.metric}"
        return {
            name: new.value,
            f"before_{name}": old.value,
            f"delta_{name}": new.value - old.value,
            "debiased_effective_sessions": new.effective_sample_size,
            "debiased_clipped_share": float(
                np.mean([one.clipped_share for one in self.judgements])
            ),
        }
