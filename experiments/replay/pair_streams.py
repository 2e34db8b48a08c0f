"""All pairs of a layout on their way through time under one setting."""

import numpy as np
from numpy.typing import NDArray

from adjuster.fused_engine.knobs import REFIT, Knobs
from adjuster.fused_engine.streams import Answers, Lessons, Streams, run_streams, start_state
from experiments.replay.blocks import ScoringBlock
from experiments.replay.layout import Layout


class PairStreams:
    """The pairs' streams, run block by block.

    Args:
        layout: The layout.
        lessons: What each pair learns.
        knobs: The setting, as the engine takes it.
        keep: Hold on to the copies, to read them at the end.
    """

    def __init__(
        self, layout: Layout, lessons: Lessons, knobs: Knobs, *, keep: bool = False
    ) -> None:
        self._layout, self._knobs = layout, knobs
        pauses = not all(block.span.finish for block in layout.blocks)
        self._streams = Streams(layout.corpus, layout.pairs.showings, lessons)
        self.state = start_state(self._streams, keep=keep or pauses, refit=knobs.memory == REFIT)

    def advance(
        self, block: ScoringBlock, scores: NDArray[np.floating], adjusted: NDArray[np.bool_]
    ) -> None:
        """Run the pairs through one block.

        Args:
            block: The block, the next of the layout's.
            scores: Shape ``(n_impressions,)``: overwritten where the pair is adjusted.
            adjusted: Shape ``(n_impressions,)``: set where the pair is adjusted.
        """
        run_streams(
            self._knobs,
            self._streams,
            self.state,
            block.span,
            Answers(scores, adjusted),
            n_threads=self._layout.config.n_threads,
        )

    def drift(self) -> NDArray[np.float64]:
        """1 - cosine of each adjusted pair that has finished, in order of (owner, object)."""
        return self._measured(self.state.drift)

    def early_drift(self) -> NDArray[np.float64]:
        """The same half-way through the scored sessions, of the pairs adjusted by then."""
        return self._measured(self.state.early_drift)

    def _measured(self, drift: NDArray[np.float64]) -> NDArray[np.float64]:
        ordered = drift[self._layout.pairs.by_owner]
        return ordered[~np.isnan(ordered)]
