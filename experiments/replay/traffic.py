"""Who searched and clicked in a replay, and how much of it no feedback can reach."""

import numpy as np

from adjuster.ticks import NEVER
from experiments.replay.layout import Layout
from experiments.replay.results import Traffic


def traffic_of(layout: Layout) -> Traffic:
    """Whose clicks all replayed sessions are, warmup's too."""
    timeline = layout.timeline
    clicked = timeline.click_at < NEVER
    return Traffic(
        user=timeline.log.session_person[: timeline.n_sessions],
        query=timeline.query.astype(np.int64),
        created_at=timeline.created_at,
        clicks=np.bincount(timeline.session_of, clicked, timeline.n_sessions).astype(np.int64),
        delay=(timeline.click_at - timeline.created_at[timeline.session_of])[clicked],
    )


def silent_share(layout: Layout) -> float:
    """Share of the scored sessions whose query had no click before, by whoever shares vectors.

    A session without an owner reads no adjusted vectors and counts as one. Of sessions that can
    be scored, withheld ones included.

    Returns:
        In [0, 1]; NaN where no session can be scored.
    """
    timeline = layout.timeline
    key = timeline.owner * len(timeline.log.query_ids) + timeline.query
    _, number = np.unique(key, return_inverse=True)
    first = np.full(int(number.max(initial=-1)) + 1, NEVER)
    np.minimum.at(first, number[timeline.session_of], timeline.click_at)
    silent = (timeline.owner < 0) | (first[number] >= timeline.created_at)
    scored = [block.sessions[block.judgements.scored] for block in layout.blocks]
    found = silent[np.concatenate(scored)]
    return float(found.mean()) if len(found) else float("nan")
