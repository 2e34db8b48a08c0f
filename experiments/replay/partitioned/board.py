"""What a shard's sessions are scored by, whatever the setting: worked out once, kept on disk."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from adjuster.metrics.ranking import Judgements
from adjuster.ragged import row_sums
from experiments.replay.blocks import ScoringBlock, rank_block, whole_span
from experiments.replay.gain_parts import GainPart
from experiments.replay.layout import Layout
from experiments.replay.lessons import no_pairs
from experiments.replay.measures import JudgedMetrics, Measure, PlainMetrics
from experiments.replay.objective import Objective
from experiments.replay.results import SessionColumns


@dataclass(frozen=True)
class MovedPart:
    """A part of the gain, and the discounts of its rows with the originals, shape ``(n,)``."""

    part: GainPart
    before: NDArray[np.float64]

    def change(self, discounts: NDArray[np.float64], n_scored: int) -> NDArray[np.float64]:
        """See `GainPart.change`.

        Args:
            discounts: Shape ``(n_impressions,)``: of each result, after.
            n_scored: Scored sessions.
        """
        return self.part.sums(discounts[self.part.rows] - self.before, n_scored)


@dataclass(frozen=True)
class ShardBoard:
    """All that a `Scoreboard` of one shard is made of, and nothing else.

    Args:
        before: Shape ``(n_impressions,)``: scores with the originals.
        offsets: Shape ``(n_sessions + 1,)``; the last sessions are scored, all in one block.
        rows: Shape ``(n_rows,)``: impressions of the scored sessions, as ties are broken.
        judgements: Their labels.
        clicks: Their clicks, where the labels are judgements.
        is_judged: Shape ``(n_rows,)``: which have a judgement, or None where clicks count.
        condensed: The labels without what has none, or None.
        discounts: Shape ``(n_rows,)``: of each place of a session, the sessions one by one.
        originals: Column → shape ``(n_scored,)``: what the originals' ranking comes to.
        refinding: Clicks on what was clicked before.
        lasting: What was clicked long ago, against what never was.
    """

    before: NDArray[np.floating]
    offsets: NDArray[np.int64]
    rows: NDArray[np.int64]
    judgements: Judgements
    clicks: Judgements | None
    is_judged: NDArray[np.bool_] | None
    condensed: Judgements | None
    discounts: NDArray[np.float64]
    originals: dict[str, NDArray[np.float64]]
    refinding: MovedPart
    lasting: MovedPart

    def columns(
        self, objective: Objective, scores: NDArray[np.floating], adjusted: NDArray[np.bool_]
    ) -> SessionColumns:
        """Rank and score the sessions.

        Args:
            objective: What they are scored by.
            scores: Shape ``(n_impressions,)``: with the adjusted vectors.
            adjusted: Shape ``(n_impressions,)``: which are adjusted; the others rank as before.

        Raises:
            FloatingPointError: If a score is not a finite number.
        """
        n_scored = self.judgements.n_sessions
        first = len(self.offsets) - 1 - n_scored
        order = rank_block(self._block(first), np.where(adjusted, scores, self.before))
        after: dict[str, NDArray[np.float64]] = {}
        for measure in self._measures(objective):
            after |= measure.score(0, order)
        discounts = np.zeros(len(self.before))
        discounts[self.rows[order]] = self.discounts
        return SessionColumns(
            before=self.originals,
            after=after,
            reached=row_sums(adjusted, self.offsets)[first:] > 0,
            refound=self.refinding.change(discounts, n_scored),
            lasting=self.lasting.change(discounts, n_scored),
        )

    def _block(self, first: int) -> ScoringBlock:
        sessions = np.arange(first, len(self.offsets) - 1)
        return ScoringBlock(sessions, self.rows, self.judgements, whole_span(no_pairs().showings))

    def _measures(self, objective: Objective) -> tuple[Measure, ...]:
        if self.clicks is None or self.condensed is None or self.is_judged is None:
            return (PlainMetrics((self.judgements,)),)
        judged = JudgedMetrics(
            objective.key,
            objective.metric,
            (self.judgements,),
            (self.is_judged,),
            (self.condensed,),
        )
        return PlainMetrics((self.clicks,)), judged


def board_of(layout: Layout) -> ShardBoard:
    """What is kept of a shard's layout, whose scored sessions are one block."""
    (block,), scoring = layout.blocks, layout.scoring
    plain, *judged = scoring.measures
    assert isinstance(plain, PlainMetrics)
    clicks = is_judged = condensed = None
    for measure in judged:
        assert isinstance(measure, JudgedMetrics)
        (clicks,), (is_judged,), (condensed,) = (
            plain.judgements,
            measure.is_judged,
            measure.condensed,
        )
    before = layout.originals.discounts
    return ShardBoard(
        before=layout.before,
        offsets=layout.timeline.offsets,
        rows=block.rows,
        judgements=block.judgements,
        clicks=clicks,
        is_judged=is_judged,
        condensed=condensed,
        discounts=scoring.linear.judgements[0].discounts,
        originals=dict(layout.originals.scores[0]),
        refinding=MovedPart(scoring.refinding, before[scoring.refinding.rows]),
        lasting=MovedPart(scoring.lasting, before[scoring.lasting.rows]),
    )
