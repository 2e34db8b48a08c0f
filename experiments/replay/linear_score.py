"""The part of an objective that is a sum over clicks, block by block."""

import numpy as np
from numpy.typing import NDArray

from adjuster.metrics.linear import judge_linear, linear_scores, row_discounts
from adjuster.metrics.ranking import rank_order
from experiments.replay.blocks import ScoringBlock
from experiments.replay.labels import Labels


class LinearScore:
    """Scores rankings of a replay's blocks by Σ gain · discount(rank), not yet divided.

    Args:
        gains: Shape ``(n_impressions,)``: weighted clicks.
        plain_gains: Shape ``(n_impressions,)``: the same, not clipped, of which the attainable
            value is.
        metric: One of `adjuster.metrics.linear.LINEAR_METRICS`.
        labels: What is left out.
        blocks: The replay's blocks.
    """

    def __init__(
        self,
        gains: NDArray[np.float64],
        plain_gains: NDArray[np.float64],
        metric: str,
        labels: Labels,
        blocks: tuple[ScoringBlock, ...],
    ) -> None:
        self.gains, self.plain_gains = labels.kept(gains), labels.kept(plain_gains)
        self.metric, self.blocks = metric, blocks
        self.judgements = [
            judge_linear(
                gains[block.rows],
                block.judgements.offsets,
                metric=metric,
                left_out=block.judgements.left_out,
                clicks=plain_gains[block.rows],
            )
            for block in blocks
        ]

    def score(self, number: int, order: NDArray[np.int64]) -> NDArray[np.float64]:
        """Value of a block's sessions under a ranking."""
        return linear_scores(self.judgements[number], order)

    def attainable(self, number: int) -> NDArray[np.float64]:
        """Best value of a block's sessions."""
        return self.judgements[number].attainable

    def put_discounts(
        self, number: int, order: NDArray[np.int64], discounts: NDArray[np.float64]
    ) -> None:
        """Write the discount of each of a block's results under a ranking.

        Args:
            number: The block.
            order: Its ranking.
            discounts: Shape ``(n_impressions,)``: of the whole replay; the block's are set.
        """
        discounts[self.blocks[number].rows[order]] = self.judgements[number].discounts

    def best_discounts(self, number: int) -> NDArray[np.float64]:
        """Discount of each of a block's results where they stand best, shape ``(n_rows,)``."""
        judged = self.judgements[number]
        if self.metric == "recall_at_10":
            return np.ones(len(judged.discounts))
        plain = self.plain_gains[self.blocks[number].rows]
        return row_discounts(judged, rank_order(plain, judged.offsets))
