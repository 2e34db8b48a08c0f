"""What a good ranking is: clicks or judgements, and which results are left out."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from adjuster.ticks import NEVER
from experiments.common.errors import InputError
from experiments.config.replay import ObjectiveConfig
from experiments.replay.timeline import Timeline


@dataclass(frozen=True)
class Labels:
    """What the sessions are scored by.

    Args:
        gains: Shape ``(n_impressions,)``.
        left_out: Shape ``(n_impressions,)`` bool, or None.
    """

    gains: NDArray[np.float64]
    left_out: NDArray[np.bool_] | None


def build_labels(timeline: Timeline, objective: ObjectiveConfig) -> Labels:
    """The gains of every impression.

    A click counts whenever it came. An impression without a judgement has gain 0.

    Raises:
        InputError: If judgements are asked for and the log has none, or there is no click.
    """
    gains = (
        _relevance(timeline) if objective.label == "relevance" else timeline.click_at < NEVER
    ).astype(np.float64)
    if not (gains[timeline.offsets[timeline.scored_from] :] > 0).any():
        raise InputError(
            f"No scored session of data set {timeline.log.name!r} has a positive label "
            f"(objective.label={objective.label}), so no ranking can be scored. "
            "Check the events, or use another replay.split."
        )
    ignore = objective.repeat_clicks == "ignore"
    return Labels(gains, clicked_before(timeline) if ignore else None)


def _relevance(timeline: Timeline) -> NDArray[np.float64]:
    relevance = timeline.log.impression_relevance[: timeline.n_impressions].astype(np.float64)
    if np.isnan(relevance).all():
        raise InputError(
            f"objective.label=relevance needs judgements, but data set {timeline.log.name!r} "
            "has no relevance on its impressions. Use objective.label=click."
        )
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
