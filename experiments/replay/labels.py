"""What a good ranking is: clicks or judgements, and which results are left out."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from adjuster.ticks import NEVER
from experiments.common.errors import InputError
from experiments.replay.click_history import ClickHistory
from experiments.replay.timeline import Timeline


@dataclass(frozen=True)
class Labels:
    """What the sessions are scored by.

    Args:
        gains: Shape ``(n_impressions,)``: clicks, or judgements where these are what counts.
        clicks: Shape ``(n_impressions,)``: 0 or 1.
        judged: Shape ``(n_impressions,)`` bool: which have a judgement; None where clicks count.
        left_out: Shape ``(n_impressions,)`` bool, or None.
        clicked_before: Shape ``(n_impressions,)`` bool: the user had clicked the object in an
            earlier session.
        clicked_long_ago: Shape ``(n_impressions,)`` bool: last more than `REFINDING_DAYS` ago.
        among_equals: Shape ``(n_impressions,)``: from `ties.among_equals`: each session's rows, as
            a ranking that does not tell them apart has them.
    """

    gains: NDArray[np.float64]
    clicks: NDArray[np.float64]
    judged: NDArray[np.bool_] | None
    left_out: NDArray[np.bool_] | None
    clicked_before: NDArray[np.bool_]
    clicked_long_ago: NDArray[np.bool_]
    among_equals: NDArray[np.int64]

    def kept(self, values: NDArray[np.float64]) -> NDArray[np.float64]:
        """Values of the impressions, 0 where they are left out."""
        return values if self.left_out is None else np.where(self.left_out, 0.0, values)


def build_labels(
    timeline: Timeline,
    among_equals: NDArray[np.int64],
    history: ClickHistory,
    *,
    estimator: str,
    repeat_clicks: str,
) -> Labels:
    """The gains of every impression.

    A click counts whenever it came. An impression without a judgement has gain 0.

    Args:
        timeline: The replay.
        among_equals: Who stands first among equals.
        history: What users had clicked before.
        estimator: What tells relevance; judgements do where it is ``judged``.
        repeat_clicks: ``count`` or ``ignore``.

    Raises:
        InputError: If a judgement is below 0.
    """
    clicks = (timeline.click_at < NEVER).astype(np.float64)
    is_judged = estimator == "judged"
    gains = _relevance(timeline) if is_judged else clicks
    relevance = timeline.log.impression_relevance[: timeline.n_impressions]
    return Labels(
        gains=gains,
        clicks=clicks,
        judged=~np.isnan(relevance) if is_judged else None,
        left_out=history.before if repeat_clicks == "ignore" else None,
        clicked_before=history.before,
        clicked_long_ago=history.long_ago,
        among_equals=among_equals,
    )


def has_positive(timeline: Timeline, labels: Labels) -> bool:
    """Whether any scored session shows a positive label."""
    return bool((labels.gains[timeline.offsets[timeline.scored_from] :] > 0).any())


def nothing_to_score(name: str, estimator: str) -> InputError:
    """What to say where no scored session of a data set shows a positive label."""
    return InputError(
        f"No scored session of data set {name!r} has a positive label "
        f"(objective.estimator is {estimator}), so no ranking can be scored. "
        "Check the events, or use another replay.split."
    )


def _relevance(timeline: Timeline) -> NDArray[np.float64]:
    relevance = timeline.log.impression_relevance[: timeline.n_impressions].astype(np.float64)
    if (relevance < 0).any():
        raise InputError(
            f"relevance must be >= 0, got {np.nanmin(relevance)} in data set "
            f"{timeline.log.name!r}. Shift the judgements so that 0 is not relevant."
        )
    return np.nan_to_num(relevance)
