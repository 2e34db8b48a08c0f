"""Who searched and clicked in a replay, and how much of it no feedback can reach."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from adjuster.ticks import NEVER
from experiments.replay.layout import Layout
from experiments.replay.results import Traffic
from experiments.replay.timeline import Timeline


class SessionClicks(NamedTuple):
    """What was clicked in the sessions of a timeline.

    Args:
        n: Shape ``(n_sessions,)``: clicked results of each.
        first_at: Shape ``(n_sessions,)``: the first event in each, or `NEVER`.
        delay: Shape ``(n_clicks,)``: seconds from search to click.
    """

    n: NDArray[np.int64]
    first_at: NDArray[np.int64]
    delay: NDArray[np.int64]


def session_clicks(timeline: Timeline) -> SessionClicks:
    """What was clicked in each session that is replayed."""
    clicked = timeline.click_at < NEVER
    first_at = np.full(timeline.n_sessions, NEVER)
    np.minimum.at(first_at, timeline.session_of, timeline.click_at)
    return SessionClicks(
        n=np.bincount(timeline.session_of, clicked, timeline.n_sessions).astype(np.int64),
        first_at=first_at,
        delay=(timeline.click_at - timeline.created_at[timeline.session_of])[clicked],
    )


def traffic_of(timeline: Timeline, clicks: SessionClicks) -> Traffic:
    """Whose clicks all replayed sessions are, warmup's too."""
    return Traffic(
        user=timeline.log.session_person[: timeline.n_sessions],
        query=timeline.query.astype(np.int64),
        created_at=timeline.created_at,
        clicks=clicks.n,
        delay=clicks.delay,
    )


def scorable_sessions(layout: Layout) -> NDArray[np.int64]:
    """The sessions that can be scored, withheld ones included; in any order."""
    return np.concatenate([block.sessions[block.judgements.scored] for block in layout.blocks])


def silent_share(
    timeline: Timeline, first_at: NDArray[np.int64], scored: NDArray[np.int64]
) -> float:
    """Share of some sessions whose query had no click before, by whoever shares vectors.

    A session without an owner reads no adjusted vectors and counts as one.

    Args:
        timeline: The replay; its impressions are not looked at.
        first_at: Shape ``(n_sessions,)``; see `SessionClicks`.
        scored: Those that can be scored, withheld ones included.

    Returns:
        In [0, 1]; NaN of none.
    """
    key = timeline.owner * len(timeline.log.query_ids) + timeline.query
    _, number = np.unique(key, return_inverse=True)
    first = np.full(int(number.max(initial=-1)) + 1, NEVER)
    np.minimum.at(first, number, first_at)
    silent = (timeline.owner < 0) | (first[number] >= timeline.created_at)
    found = silent[scored]
    return float(found.mean()) if len(found) else float("nan")
