"""Further columns of the scored sessions, beside what they are measured by before and after."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from adjuster.live.ranking.exploration import mix_exploration_sessions
from experiments.replay.blocks import ScoringBlock
from experiments.replay.measures import Columns
from experiments.replay.people import weighted_mean
from experiments.replay.scoring import Scoring


class SessionScorer(Protocol):
    """Fills columns block by block, and says what they come to over all scored sessions.

    A further figure of a session (what exploration costs it, say) is one of these, added in
    `layout.lay_out`; neither replay nor scoreboard changes for it.
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

    def summarize(
        self, columns: Columns, weight: NDArray[np.float64], metrics: Mapping[str, float]
    ) -> dict[str, float]:
        """What the columns of the sessions that count come to.

        Args:
            columns: Its columns, in order of session.
            weight: Part of each session in the users' means.
            metrics: The metrics so far.
        """


@dataclass(frozen=True)
class ExplorationScorer:
    """What mixing exploration into the adjusted ranking would have cost.

    Args:
        blocks: The blocks.
        scoring: How they are scored.
        key: The objective.
        ratio: Share of results that explore, in (0, 1].
        seed: Seed of the draws; each block draws its own.
    """

    blocks: tuple[ScoringBlock, ...]
    scoring: Scoring
    key: str
    ratio: float
    seed: int
    columns: tuple[str, ...] = ("explored",)

    def score(self, number: int, before: NDArray[np.int64], after: NDArray[np.int64]) -> Columns:
        """See `SessionScorer.score`."""
        offsets = self.blocks[number].judgements.offsets
        rng = np.random.default_rng([self.seed, number])
        mixed = mix_exploration_sessions(after, before, offsets, self.ratio, rng)
        return {"explored": self.scoring.score(number, mixed)[self.key]}

    def summarize(
        self, columns: Columns, weight: NDArray[np.float64], metrics: Mapping[str, float]
    ) -> dict[str, float]:
        """See `SessionScorer.summarize`."""
        explored = weighted_mean(columns["explored"], weight)
        return {
            f"explored_{self.key}": explored,
            "exploration_cost": metrics[self.key] - explored,
        }
