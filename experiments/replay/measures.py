"""What the sessions of a block are measured by: columns, of which one is the objective."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from adjuster.metrics.ranking import METRIC_NAMES, Judgements, judge, rank_order, score_sessions
from experiments.replay.blocks import ScoringBlock
from experiments.replay.labels import Labels
from experiments.replay.linear_score import LinearScore

Columns = Mapping[str, NDArray[np.float64]]

CONDENSED = "ndcg_at_10"
TOP = 10


class Measure(Protocol):
    """Scores a ranking of one block's sessions."""

    @property
    def names(self) -> tuple[str, ...]:
        """Names of its columns."""

    def score(self, number: int, order: NDArray[np.int64]) -> Columns:
        """A value for each session of a block, by column; NaN for one that cannot be scored.

        Args:
            number: The block, 0-based.
            order: Its results as `rank_block` ranks them.
        """


@dataclass(frozen=True)
class PlainMetrics:
    """All ranking metrics with the clicks as they are.

    Args:
        judgements: Of the clicks of each block.
        names: The metrics.
    """

    judgements: tuple[Judgements, ...]
    names: tuple[str, ...] = METRIC_NAMES

    def score(self, number: int, order: NDArray[np.int64]) -> Columns:
        """See `Measure.score`."""
        return score_sessions(self.judgements[number], order)


@dataclass(frozen=True)
class WeightedMetric:
    """A metric with clicks weighted against position.

    Args:
        name: Its name.
        linear: The weighted clicks.
        scale: What a session's value is divided by: users' mean of the attainable value.
    """

    name: str
    linear: LinearScore
    scale: float

    @property
    def names(self) -> tuple[str, ...]:
        """Its name alone."""
        return (self.name,)

    def score(self, number: int, order: NDArray[np.int64]) -> Columns:
        """See `Measure.score`."""
        block = self.linear.blocks[number].judgements
        values = np.full(block.n_sessions, np.nan)
        values[block.scored] = self.linear.score(number, order)[block.scored] / self.scale
        return {self.name: values}


@dataclass(frozen=True)
class JudgedMetrics:
    """A metric by judgements, how much of the top is judged, and NDCG of the condensed list.

    Args:
        name: What the metric is called among those of a replay.
        metric: The metric.
        judgements: Of each block.
        is_judged: Of each block, shape ``(n_rows,)`` bool: which results have a judgement.
        condensed: The judgements of each block, whatever is not judged left out.
    """

    name: str
    metric: str
    judgements: tuple[Judgements, ...]
    is_judged: tuple[NDArray[np.bool_], ...]
    condensed: tuple[Judgements, ...]

    @property
    def names(self) -> tuple[str, ...]:
        """Names of its columns."""
        return self.name, f"judged_at_{TOP}", f"condensed_{CONDENSED}"

    def score(self, number: int, order: NDArray[np.int64]) -> Columns:
        """See `Measure.score`."""
        judgements = self.judgements[number]
        values = (
            score_sessions(judgements, order)[self.metric],
            self._judged_at_top(number, order),
            self._condensed_ndcg(number, order),
        )
        return dict(zip(self.names, values, strict=True))

    def _judged_at_top(self, number: int, order: NDArray[np.int64]) -> NDArray[np.float64]:
        """Share of the first ten results that have a judgement."""
        judgements = self.judgements[number]
        top = _places(judgements.offsets) < TOP
        if judgements.left_out is not None:
            top &= ~judgements.left_out[order]
        session = np.repeat(np.arange(judgements.n_sessions), np.diff(judgements.offsets))
        shown = np.bincount(session, top, judgements.n_sessions)
        found = np.bincount(session, top & self.is_judged[number][order], judgements.n_sessions)
        share = np.full(judgements.n_sessions, np.nan)
        share[judgements.scored] = found[judgements.scored] / shown[judgements.scored]
        return share

    def _condensed_ndcg(self, number: int, order: NDArray[np.int64]) -> NDArray[np.float64]:
        """NDCG of the ranking without the results that nobody judged (Sakai, SIGIR 2007)."""
        condensed = self.condensed[number]
        if self.is_judged[number].all():
            return score_sessions(condensed, order)[CONDENSED]
        place = np.empty(len(order))
        place[order] = np.arange(len(order))
        without = rank_order(-place, condensed.offsets, left_out=condensed.left_out)
        return score_sessions(condensed, without)[CONDENSED]


def judged_metrics(
    name: str, metric: str, labels: Labels, blocks: tuple[ScoringBlock, ...]
) -> JudgedMetrics:
    """Lay out the measures by judgements.

    Args:
        name: What the metric is called among those of a replay.
        metric: The metric.
        labels: Judgements, and which results have one.
        blocks: The replay's blocks, judged by them.
    """
    assert labels.judged is not None
    is_judged = tuple(labels.judged[block.rows] for block in blocks)
    return JudgedMetrics(
        name,
        metric,
        tuple(block.judgements for block in blocks),
        is_judged,
        tuple(_condensed(block, judged) for block, judged in zip(blocks, is_judged, strict=True)),
    )


def _condensed(block: ScoringBlock, judged: NDArray[np.bool_]) -> Judgements:
    """The block's labels with whatever is not judged left out."""
    left_out = ~judged
    if block.judgements.left_out is not None:
        left_out |= block.judgements.left_out
    return judge(block.judgements.gains, block.judgements.offsets, left_out=left_out)


def _places(offsets: NDArray[np.int64]) -> NDArray[np.int64]:
    """Place within its session, 0-based, of each row."""
    return np.arange(offsets[-1]) - np.repeat(offsets[:-1], np.diff(offsets))
