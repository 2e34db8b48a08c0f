"""Can position and relevance be told apart in this log? Asked before the first trial."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from experiments.replay.position.click_counts import ClickCounts
from experiments.replay.position.click_information import log_error
from experiments.replay.position.impressions import Impressions
from experiments.replay.position.rank_agreement import rank_correlations

LARGEST_ERROR = 0.6
"""Examination counts as told up to this standard error of log θ: weights within a factor 1.8."""

GOOD_ERROR = 0.2
"""What the number of shuffled sessions named to people would reach."""

_WITHIN_ONE = 0.683
"""Share of a standard normal's values between -1 and 1."""


@dataclass(frozen=True)
class Movement:
    """How results moved among positions.

    Args:
        n_pairs: Distinct (query, object) pairs shown.
        n_moved: Pairs shown at two or more positions.
        moved_click_share: Share of the clicks on such pairs, in [0, 1]; NaN without a click.
        score_agreement: Mean Spearman correlation, over sessions, of the shown order with the
            order by the originals' scores; NaN where unknown.
        click_agreement: The same with the order by the pair's earlier clicks.
        random_share: About which share of the sessions shows an order that has nothing to do
            with the query's usual one; NaN where no query was asked twice.
    """

    n_pairs: int
    n_moved: int
    moved_click_share: float
    score_agreement: float
    click_agreement: float
    random_share: float

    @property
    def moved_share(self) -> float:
        """Share of the pairs that were shown at two or more positions."""
        return self.n_moved / max(self.n_pairs, 1)


@dataclass(frozen=True)
class Identifiability:
    """Whether a log tells how likely each position is looked at.

    Args:
        movement: How results moved.
        log_error: Typical standard error of log examination, in [0, 2]; 2 says nothing.
        sessions_needed: About how many sessions in random order would tell it well.
        is_identified: The decision.
        reason: It, in one sentence, with what would tell where nothing does.
    """

    movement: Movement
    log_error: float
    sessions_needed: int
    is_identified: bool
    reason: str


def measure_movement(log: Impressions, score: NDArray[np.floating] | None) -> Movement:
    """Count pairs that moved, and compare the shown order with others.

    Args:
        log: The impressions.
        score: Shape ``(n_impressions,)``: similarity with the originals, or None.
    """
    moved = _moved_pairs(log)
    shown_first = -log.position.astype(np.float64)
    return Movement(
        n_pairs=len(moved),
        n_moved=int(moved.sum()),
        moved_click_share=_mean(moved[log.pair][log.clicked]),
        score_agreement=float("nan")
        if score is None
        else _mean(rank_correlations(shown_first, score, log.offsets)),
        click_agreement=_mean(rank_correlations(shown_first, earlier_clicks(log), log.offsets)),
        random_share=random_share(log),
    )


def earlier_clicks(log: Impressions) -> NDArray[np.int64]:
    """Clicks on each impression's pair in earlier sessions, shape ``(n_impressions,)``."""
    order = np.argsort(log.pair, kind="stable")
    clicked = log.clicked[order].astype(np.int64)
    before = np.cumsum(clicked) - clicked
    starts = np.flatnonzero(np.diff(log.pair[order], prepend=-1))
    lengths = np.diff(np.append(starts, len(order)))
    result = np.empty(len(order), np.int64)
    result[order] = before - np.repeat(before[starts], lengths)
    return result


def random_share(log: Impressions) -> float:
    """About which share of the sessions has nothing of the query's usual order.

    The usual place of a pair is its mean position in the other sessions. In random order the
    rank correlation with it is about Normal(0, 1 / (n - 1)), within one standard deviation of 0
    in 68 % of the sessions; elsewhere hardly ever.
    """
    shows = np.bincount(log.pair)[log.pair]
    others = (np.bincount(log.pair, log.position)[log.pair] - log.position) / np.maximum(
        shows - 1, 1
    )
    known = shows > 1
    session = log.session[known]
    lengths = np.bincount(session, minlength=log.n_sessions)
    offsets = np.concatenate([[0], np.cumsum(lengths)])
    correlation = rank_correlations(log.position[known], others[known], offsets)
    # Leaving its own position out of a pair's mean tilts the correlation down a little.
    near = np.abs(correlation) * np.sqrt(np.maximum(lengths - 1, 1)) < 1
    told = ~np.isnan(correlation)
    return float(min(1.0, near[told].mean() / _WITHIN_ONE)) if told.any() else float("nan")


def identify(
    log: Impressions,
    counts: ClickCounts,
    theta: NDArray[np.float64],
    score: NDArray[np.floating] | None = None,
) -> Identifiability:
    """Decide whether the log tells examination from relevance.

    By information, not by counts: a pair says something of two positions only by its clicks
    there, and one that never moved says nothing however often it is clicked.

    Args:
        log: The impressions, at least one of them clicked.
        counts: Their counts.
        theta: Shape ``(n_positions,)``: fitted examination.
        score: Shape ``(n_impressions,)``: similarity with the originals, or None.
    """
    movement = measure_movement(log, score)
    error = log_error(counts, theta)
    needed = sessions_needed(log)
    identified = error <= LARGEST_ERROR
    return Identifiability(
        movement=movement,
        log_error=error,
        sessions_needed=needed,
        is_identified=identified,
        reason=_reason(movement, error, needed, identified),
    )


def sessions_needed(log: Impressions) -> int:
    """About how many sessions in random order tell log θ with an error of `GOOD_ERROR`.

    With n sessions a position gets n · (clicks a session there) clicks, and the variance of the
    logarithm of a rate is one over its clicks; positions count by how often they are shown. It
    takes queries that are asked more than once, and is more where neighbours are swapped.
    """
    shown = np.bincount(log.depth)
    clicks = np.bincount(log.depth, log.clicked)
    seen = clicks > 0
    weight = shown[seen] / shown[seen].sum()
    variance = float((weight * log.n_sessions / clicks[seen]).sum())
    return int(np.ceil(variance / GOOD_ERROR**2))


def _reason(movement: Movement, error: float, needed: int, identified: bool) -> str:
    moved = (
        f"{movement.n_moved} of {movement.n_pairs} (query, object) pairs were shown at two or "
        f"more positions, with {movement.moved_click_share:.0%} of the clicks"
    )
    if identified:
        return (
            f"{moved}: the chance of a look at a position is known within a factor of about "
            f"{np.exp(error):.2f}."
        )
    advice = (
        f"show about {_round_up(needed)} sessions in random order, or swap neighbouring results "
        "in a share of the searches, or compare by interleaving"
    )
    if movement.n_moved == 0:
        return (
            "Every query shows each of its objects at one position only, so position and "
            f"relevance cannot be told apart; to tell, {advice}."
        )
    return (
        f"{moved}: too few to tell position from relevance (the chance of a look is known within "
        f"a factor of {np.exp(error):.1f} only); to tell, {advice}."
    )


def _round_up(number: int) -> int:
    """To two digits."""
    unit = int(10 ** max(0, len(str(number)) - 2))
    return -(-number // unit) * unit


def _moved_pairs(log: Impressions) -> NDArray[np.bool_]:
    n_pairs = int(log.pair.max(initial=-1)) + 1
    lowest = np.full(n_pairs, np.iinfo(np.int64).max)
    np.minimum.at(lowest, log.pair, log.depth)
    highest = np.full(n_pairs, -1)
    np.maximum.at(highest, log.pair, log.depth)
    return np.asarray(highest > lowest)


def _mean(values: NDArray[np.number | np.bool_]) -> float:
    known = values[~np.isnan(values)] if values.dtype.kind == "f" else values
    return float(known.mean()) if len(known) else float("nan")
