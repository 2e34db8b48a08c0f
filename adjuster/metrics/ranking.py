"""Ranking metrics over ragged sessions: nDCG, reciprocal rank, average precision, recall.

What depends on the labels alone is computed once, in `judge`; each ranking then costs one sort
and sums over its positive results. Definitions, as in trec_eval and ir_measures, per session:

- nDCG@k: DCG@k / ideal DCG@k, DCG@k = Σ gain / log2(rank + 1) over ranks 1..k, with linear gain
  (Järvelin and Kekäläinen, 2002, in the form of scikit-learn's ``ndcg_score``).
- MRR: 1 / rank of the first positive result.
- MAP: mean over the positive results of the precision at their ranks.
- Recall@10: share of the positive results that stand in the first 10.

Equal scores are ranked by logged position. A session without a positive result is NaN.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

NDCG_CUTOFFS, RECALL_CUTOFFS = (5, 10), (10,)
METRIC_NAMES: tuple[str, ...] = (
    *(f"ndcg_at_{k}" for k in NDCG_CUTOFFS),
    "mrr",
    "map",
    *(f"recall_at_{k}" for k in RECALL_CUTOFFS),
)
"""What `score_sessions` returns, in order; a new metric is a name here and a line there."""

ROWS_AT_ONCE = 1 << 20
"""Rows sorted in one call, which bounds the memory beyond the answer."""


@dataclass(frozen=True)
class Judgements:
    """The labels of a log and all that depends on them alone; made by `judge`.

    A *scored* session is one with a positive label. Its positive results ("hits") lie in
    ``hit_offsets[i]:hit_offsets[i + 1]`` of the flat list of hits, in every ranking alike.

    Args:
        gains: Shape ``(n_impressions,)`` float64: labels, 0 where left out.
        offsets: Shape ``(n_sessions + 1,)``.
        left_out: Shape ``(n_impressions,)`` bool, or None: rows that are not ranked.
        scored: Shape ``(n_scored,)``: indices of the sessions with a positive label.
        hit_offsets: Shape ``(n_scored + 1,)``.
        hit_start: Shape ``(n_hits,)``: first row of each hit's session.
        hit_number: Shape ``(n_hits,)``: 1, 2, … within its session.
        ideal_dcg: Cutoff → shape ``(n_scored,)``: DCG of the best ranking.
    """

    gains: NDArray[np.float64]
    offsets: NDArray[np.int64]
    left_out: NDArray[np.bool_] | None
    scored: NDArray[np.int64]
    hit_offsets: NDArray[np.int64]
    hit_start: NDArray[np.int64]
    hit_number: NDArray[np.int64]
    ideal_dcg: dict[int, NDArray[np.float64]]

    @property
    def n_sessions(self) -> int:
        """Number of sessions, scored or not."""
        return len(self.offsets) - 1


def judge(
    labels: NDArray[np.number],
    offsets: NDArray[np.int64],
    *,
    left_out: NDArray[np.bool_] | None = None,
) -> Judgements:
    """Compute what the metrics need of the labels, once for all rankings.

    Args:
        labels: Shape ``(n_impressions,)``: gains >= 0, clicks 0 or 1 or graded relevance;
            positive is > 0. A session's rows stand in order of their logged position.
        offsets: Shape ``(n_sessions + 1,)``.
        left_out: Shape ``(n_impressions,)``: rows that are taken out of the ranking.

    Raises:
        ValueError: If a label is negative or not finite, or a shape does not fit.

    Example:
        >>> judge(np.array([0, 1, 0]), np.array([0, 2, 3])).scored.tolist()
        [0]
    """
    gains = np.array(labels, np.float64)
    offsets = np.asarray(offsets, np.int64)
    _check_rows("labels", gains, offsets)
    if left_out is not None:
        _check_rows("left_out", left_out, offsets)
        gains[left_out] = 0.0
    bad = np.flatnonzero(~(np.isfinite(gains) & (gains >= 0)))
    if bad.size:
        raise ValueError(
            f"labels must be finite and >= 0, got {gains[bad[0]]} at row {bad[0]}"
            f" ({bad.size} such rows). Give unjudged results 0 or leave them out."
        )
    n_hits = np.add.reduceat(np.append(gains > 0, False), offsets[:-1], dtype=np.int64)
    n_hits[np.diff(offsets) == 0] = 0
    scored = np.flatnonzero(n_hits)
    n_hits = n_hits[scored]
    hit_offsets = np.concatenate([[0], np.cumsum(n_hits)]).astype(np.int64)
    hit_number = np.arange(1, hit_offsets[-1] + 1) - np.repeat(hit_offsets[:-1], n_hits)
    best = np.take(gains, rank_order(gains, offsets))
    best = best[best > 0]
    return Judgements(
        gains=gains,
        offsets=offsets,
        left_out=left_out,
        scored=scored,
        hit_offsets=hit_offsets,
        hit_start=np.repeat(offsets[scored], n_hits),
        hit_number=hit_number,
        ideal_dcg={k: _dcg(best, hit_number, hit_offsets, k) for k in NDCG_CUTOFFS},
    )


def rank_order(
    scores: NDArray[np.floating],
    offsets: NDArray[np.int64],
    *,
    left_out: NDArray[np.bool_] | None = None,
) -> NDArray[np.int64]:
    """Rank each session's rows by falling score, equal scores by logged position.

    Sessions of one length are sorted together as a matrix, which is several times faster than
    one sort over everything.

    Args:
        scores: Shape ``(n_impressions,)``, finite, in order of logged position.
        offsets: Shape ``(n_sessions + 1,)``.
        left_out: Rows that are not ranked; they come last in their session.

    Returns:
        Shape ``(n_impressions,)``: session ``s`` shows the rows
        ``order[offsets[s]:offsets[s + 1]]``, best first.

    Raises:
        ValueError: If a score is NaN or infinite, or a shape does not fit.

    Example:
        >>> rank_order(np.array([0.1, 0.9, 0.5, 0.5]), np.array([0, 2, 4])).tolist()
        [1, 0, 2, 3]
    """
    offsets = np.asarray(offsets, np.int64)
    _check_rows("scores", scores, offsets)
    if not np.isfinite(scores).all():
        row = int(np.flatnonzero(~np.isfinite(scores))[0])
        raise ValueError(f"scores must be finite, got {scores[row]} at row {row}.")
    falling = np.negative(scores)
    if left_out is not None:
        _check_rows("left_out", left_out, offsets)
        falling[left_out] = np.inf
    order = np.empty(len(falling), np.int64)
    for starts, length in _same_lengths(offsets):
        rows = starts[:, None] + np.arange(length)  # (sessions, impressions)
        order[rows] = np.argsort(falling[rows], axis=1, kind="stable") + starts[:, None]
    return order


def score_sessions(
    judgements: Judgements, order: NDArray[np.int64]
) -> dict[str, NDArray[np.float64]]:
    """Score one ranking of every session.

    Args:
        judgements: From `judge`.
        order: From `rank_order`, with the same offsets and rows left out.

    Returns:
        Each of `METRIC_NAMES` → shape ``(n_sessions,)``, in [0, 1]; NaN for a session without
        a positive label.

    Example:
        >>> judged = judge(np.array([0, 1]), np.array([0, 2]))
        >>> score_sessions(judged, np.array([0, 1]))["mrr"].tolist()
        [0.5]
    """
    rows, ranks = hits(judgements, order)
    gains = judgements.gains[rows]
    starts = judgements.hit_offsets[:-1]
    n_hits = np.diff(judgements.hit_offsets)
    values = {f"ndcg_at_{k}": _ndcg(judgements, gains, ranks, k) for k in NDCG_CUTOFFS}
    values["mrr"] = 1.0 / ranks[starts]
    values["map"] = _sums(judgements.hit_number / ranks, starts) / n_hits
    values |= {f"recall_at_{k}": _sums(ranks <= k, starts) / n_hits for k in RECALL_CUTOFFS}
    return {name: _spread(judgements, value) for name, value in values.items()}


def hits(
    judgements: Judgements, order: NDArray[np.int64]
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """The positive results of a ranking, session after session, best first.

    Returns:
        Their rows and their 1-based ranks, each of shape ``(n_hits,)``.
    """
    places = np.flatnonzero((judgements.gains > 0)[order])
    return order[places], places - judgements.hit_start + 1


def _ndcg(
    judgements: Judgements, gains: NDArray[np.float64], ranks: NDArray[np.int64], cutoff: int
) -> NDArray[np.float64]:
    reached = _dcg(gains, ranks, judgements.hit_offsets, cutoff)
    return reached / judgements.ideal_dcg[cutoff]


def _dcg(
    gains: NDArray[np.float64],
    ranks: NDArray[np.int64],
    hit_offsets: NDArray[np.int64],
    cutoff: int,
) -> NDArray[np.float64]:
    discounts = np.append(1.0 / np.log2(np.arange(2, cutoff + 2)), 0.0)
    return _sums(gains * discounts[np.minimum(ranks, cutoff + 1) - 1], hit_offsets[:-1])


def _sums(values: NDArray[np.number | np.bool_], starts: NDArray[np.int64]) -> NDArray[np.float64]:
    """Sum each session's hits; every session here has at least one."""
    return np.add.reduceat(values, starts, dtype=np.float64) if len(starts) else np.empty(0)


def _spread(judgements: Judgements, values: NDArray[np.float64]) -> NDArray[np.float64]:
    """From the scored sessions to all, NaN elsewhere."""
    everywhere = np.full(judgements.n_sessions, np.nan)
    everywhere[judgements.scored] = values
    return everywhere


def _same_lengths(offsets: NDArray[np.int64]) -> list[tuple[NDArray[np.int64], int]]:
    """The non-empty sessions by length: their first rows, and the length."""
    lengths = np.diff(offsets)
    by_length = np.argsort(lengths, kind="stable")
    distinct, firsts = np.unique(lengths[by_length], return_index=True)
    return [
        (offsets[some], int(length))
        for length, mine in zip(distinct, np.split(by_length, firsts[1:]), strict=False)
        if length
        for some in np.split(mine, range(_batch(length), len(mine), _batch(length)))
    ]


def _batch(length: int) -> int:
    return max(1, ROWS_AT_ONCE // int(length))


def _check_rows(name: str, values: NDArray[np.generic], offsets: NDArray[np.int64]) -> None:
    expected = (int(offsets[-1]),)
    if np.shape(values) != expected:
        raise ValueError(
            f"{name} must have shape {expected}, as the offsets say, got {np.shape(values)}."
        )
