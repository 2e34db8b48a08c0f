"""Further columns of the scored sessions, beside the metrics before and after."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from adjuster.live.exploration import mix_exploration_sessions
from adjuster.metrics.ranking import score_sessions
from experiments.replay.blocks import ScoringBlock

Columns = Mapping[str, NDArray[np.float64]]


class SessionScorer(Protocol):
    """Fills columns block by block, and says what they come to over all scored sessions.

    A new way to score a session (a weighted numerator and its weight, say) is one of these,
    added in `layout.lay_out`; neither replay nor scoreboard changes for it.
    """

    @property
    def columns(self) -> tuple[str, ...]:
        """Names of the columns that it fills."""

    def score(self, number: int, before: NDArray[np.int64], after: NDArray[np.int64]) -> Columns:
        """A value for each session of a block, by column.

        Args:
            number: The block, 0-based.
            before: Its sessions' results ranked with the originals, as `rank_block` ranks.
            after: Ranked with the adjusted vectors.
        """

    def summarize(self, columns: Columns, metrics: Mapping[str, float]) -> dict[str, float]:
        """What the columns of the sessions that count come to.

        Args:
            columns: Its columns, in order of session.
            metrics: The metrics so far.
        """


@dataclass(frozen=True)
class ExplorationScorer:
    """What mixing exploration into the adjusted ranking would have cost.

    Args:
        blocks: The blocks.
        metric: The objective.
        ratio: Share of results that explore, in (0, 1].
        seed: Seed of the draws; each block draws its own.
    """

    blocks: tuple[ScoringBlock, ...]
    metric: str
    ratio: float
    seed: int
    columns: tuple[str, ...] = ("explored",)

    def score(self, number: int, before: NDArray[np.int64], after: NDArray[np.int64]) -> Columns:
        """See `SessionScorer.score`."""
        judgements = self.blocks[number].judgements
        rng = np.random.default_rng([self.seed, number])
        mixed = mix_exploration_sessions(after, before, judgements.offsets, self.ratio, rng)
        return {"explored": score_sessions(judgements, mixed)[self.metric]}

    def summarize(self, columns: Columns, metrics: Mapping[str, float]) -> dict[str, float]:
        """See `SessionScorer.summarize`."""
        values = columns["explored"]
        explored = float(np.mean(values)) if len(values) else float("nan")
        return {
            f"explored_{self.metric}": explored,
            "exploration_cost": metrics[self.metric] - explored,
        }
