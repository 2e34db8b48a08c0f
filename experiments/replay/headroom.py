"""How much there is to gain: results ranked by what people click at other times.

Nobody can know that, since much of it is yet to come.
"""

from typing import Literal

import numpy as np
from numpy.typing import NDArray

from experiments.replay.layout import Layout


def rank_by_other_labels(layout: Layout, *, of: Literal["query", "owner"]) -> NDArray[np.float64]:
    """Score every impression by all other labels of its (query, object) or (owner, object) pair.

    An oracle: mean label of the pair in the other sessions of the replay, earlier and later, the
    session's own left out, with one showing more that earned nothing. Pairs that are not shown
    again, or never found good, tie, and so keep the order of their similarity. By query, no
    vectors shared by all people can be expected to do much better; vectors of each person's own
    may.

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
    pairs, pair = np.unique(key, return_inverse=True)
    worth = np.bincount(pair, weights=gains, minlength=len(pairs))[pair]
    shows = np.bincount(pair, minlength=len(pairs))[pair]
    scores: NDArray[np.float64] = (worth - gains) / shows
    scores[(asker < 0) | (shows == 1)] = 0.0
    return scores
