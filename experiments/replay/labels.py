"""What a good ranking is: clicks or judgements, and which results are left out."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from adjuster.ticks import NEVER
from experiments.common.errors import InputError
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
        among_equals: Shape ``(n_impressions,)``: from `ties.among_equals`: each session's rows, as
            a ranking that does not tell them apart has them.
    """

    gains: NDArray[np.float64]
    clicks: NDArray[np.float64]
    judged: NDArray[np.bool_] | None
    left_out: NDArray[np.bool_] | None
    clicked_before: NDArray[np.bool_]
    among_equals: NDArray[np.int64]

    def kept(self, values: NDArray[np.float64]) -> NDArray[np.float64]:
        """Values of the impressions, 0 where they are left out."""
        return values if self.left_out is None else np.where(self.left_out, 0.0, values)


def build_labels(
    timeline: Timeline,
    among_equals: NDArray[np.int64],
    *,
    estimator: str,
    repeat_clicks: str,
) -> Labels:
    """The gains of every impression.

    A click counts whenever it came. An impression without a judgement has gain 0.

    Args:
        timeline: The replay.
        among_equals: Who stands first among equals.
        estimator: What tells relevance; judgements do where it is ``judged``.
        repeat_clicks: ``count`` or ``ignore``.

    Raises:
        InputError: If a judgement is below 0, or no scored session has a positive label.
    """
    clicks = (timeline.click_at < NEVER).astype(np.float64)
    is_judged = estimator == "judged"
    gains = _relevance(timeline) if is_judged else clicks
    if not (gains[timeline.offsets[timeline.scored_from] :] > 0).any():
        raise InputError(
            f"No scored session of data set {timeline.log.name!r} has a positive label "
            f"(objective.estimator is {estimator}), so no ranking can be scored. "
            "Check the events, or use another replay.split."
        )
    before = clicked_before(timeline)
    relevance = timeline.log.impression_relevance[: timeline.n_impressions]
    return Labels(
        gains=gains,
        clicks=clicks,
        judged=~np.isnan(relevance) if is_judged else None,
        left_out=before if repeat_clicks == "ignore" else None,
        clicked_before=before,
        among_equals=among_equals,
    )


def _relevance(timeline: Timeline) -> NDArray[np.float64]:
    relevance = timeline.log.impression_relevance[: timeline.n_impressions].astype(np.float64)
    if (relevance < 0).any():
        raise InputError(
            f"relevance must be >= 0, got {np.nanmin(relevance)} in data set "
            f"{timeline.log.name!r}. Shift the judgements so that 0 is not relevant."
        )
    return np.nan_to_num(relevance)


def clicked_before(timeline: Timeline) -> NDArray[np.bool_]:
    """Impressions of objects that the same user clicked in an earlier session, before this one.

    Returns:
        Shape ``(n_impressions,)`` bool; False for an unknown user.
    """
    user = timeline.log.session_user[: timeline.n_sessions].astype(np.int64)[timeline.session_of]
    objects = timeline.log.impression_object[: timeline.n_impressions]
    _, pair = np.unique(user * timeline.log.n_objects + objects, return_inverse=True)
    first = np.full(pair.max(initial=0) + 1, NEVER)
    np.minimum.at(first, pair, timeline.click_at)
    # The first click on the pair is this session's own if it is not before its search.
    return (user >= 0) & (first[pair] < timeline.created_at[timeline.session_of])
