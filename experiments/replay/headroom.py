"""How much there is to gain: results ranked by what people will click, which nobody can know."""

from typing import Literal

import numpy as np
from numpy.typing import NDArray

from experiments.replay.layout import Layout


def rank_by_later_labels(layout: Layout, *, of: Literal["query", "owner"]) -> NDArray[np.float64]:
    """Score every impression by the later labels of its (query, object) or (owner, object) pair.

    An oracle: mean label of the pair in later sessions of the replay, the session's own left out,
    with one showing more that earned nothing. Pairs that are not shown again, or never found
    good, tie, and so keep the order of their similarity. By query, no vectors shared by all
    people can be expected to do much better; vectors of each person's own may.

    Args:
        layout: Of any window.
        of: Whose opinion of the object is looked up: that of all who ask the ``query``, or of the
            ``owner`` of the vectors, whatever was asked. A session without an owner ties.

    Returns:
        Shape ``(n_impressions,)``.
    """
    timeline, bias = layout.timeline, layout.objective.bias
    gains = layout.labels.kept(layout.labels.gains if bias is None else bias.gains)
    asked = (timeline.query if of == "query" else timeline.owner).astype(np.int64)
    asker = asked[timeline.session_of]
    key = asker * timeline.log.n_objects + timeline.log.impression_object[: timeline.n_impressions]
    order = np.argsort(key, kind="stable")  # within a pair in order of time
    ends = np.append(np.flatnonzero(np.diff(key[order])), len(order) - 1)
    lengths = np.diff(ends, prepend=-1)
    worth, shows = np.cumsum(gains[order]), np.arange(1, len(order) + 1)
    scores = np.empty(len(order))
    later_worth = np.repeat(worth[ends], lengths) - worth
    later_shows = np.repeat(shows[ends], lengths) - shows
    scores[order] = np.where(later_shows > 0, later_worth, 0.0) / (later_shows + 1)
    scores[asker < 0] = 0.0
    return scores
