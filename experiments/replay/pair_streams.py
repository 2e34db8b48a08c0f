"""All pairs of a layout on their way through time under one setting."""

from collections.abc import Sequence
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from adjuster.fused_engine.knobs import REFIT, Knobs
from adjuster.fused_engine.streams import (
    Answers,
    Corpus,
    Lessons,
    Showings,
    Span,
    Streams,
    run_streams,
    start_state,
)
from experiments.config.replay import ReplayConfig
from experiments.replay.drift_growth import sum_drift
from experiments.replay.exact_sums import ExactSums


class LaidPairs(Protocol):
    """Pairs ready to be run: all of a layout, or those of one partition."""

    @property
    def config(self) -> ReplayConfig:
        """How the log is replayed."""

    @property
    def corpus(self) -> Corpus:
        """The originals and the queries."""

    @property
    def showings(self) -> Showings:
        """The pairs and when they are shown."""

    @property
    def spans(self) -> Sequence[Span]:
        """How far which pairs are run in each block."""


class PairStreams:
    """The pairs' streams, run block by block.

    Args:
        layout: The layout, or what else holds pairs.
        lessons: What each pair learns.
        knobs: The setting, as the engine takes it.
        keep: Hold on to the copies, to read them at the end.
    """

    def __init__(
        self, layout: LaidPairs, lessons: Lessons, knobs: Knobs, *, keep: bool = False
    ) -> None:
        self._layout, self._knobs = layout, knobs
        pauses = len(layout.spans) > 1 and not all(span.finish for span in layout.spans)
        self._streams = Streams(layout.corpus, layout.showings, lessons)
        self.state = start_state(self._streams, keep=keep or pauses, refit=knobs.memory == REFIT)

    def advance(
        self, span: Span, scores: NDArray[np.floating], adjusted: NDArray[np.bool_]
    ) -> None:
        """Run the pairs through one block.

        Args:
            span: Of the block, the next of the layout's.
            scores: Shape ``(n_impressions,)``: overwritten where the pair is adjusted.
            adjusted: Shape ``(n_impressions,)``: set where the pair is adjusted.
        """
        run_streams(
            self._knobs,
            self._streams,
            self.state,
            span,
            Answers(scores, adjusted),
            n_threads=self._layout.config.n_threads,
        )

    def drift(self) -> ExactSums:
        """1 - cosine of the adjusted pairs that have finished, summed."""
        return sum_drift(self.state.drift)

    def early_drift(self) -> ExactSums:
        """The same half-way through the scored sessions, of the pairs adjusted by then."""
        return sum_drift(self.state.early_drift)
