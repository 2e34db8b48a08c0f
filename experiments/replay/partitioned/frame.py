"""The timeline of all sessions without what they show, and the timelines of parts of the log."""

from dataclasses import replace

import numpy as np

from adjuster.history import first_events
from adjuster.ragged import offsets_of
from experiments.config.replay import ReplayConfig
from experiments.data.format.click_log import ClickLog
from experiments.data.partitioned_log import PairRows
from experiments.replay.timeline import Timeline, build_timeline, marking_times


def session_frame(log: ClickLog, config: ReplayConfig, window: str) -> Timeline:
    """The timeline of a log of which nothing that is shown is in memory.

    Args:
        log: With all sessions, but without impressions and events.
        config: Splits, scope and withheld queries.
        window: One of `WINDOWS`.

    Returns:
        A timeline whose ``click_at`` is empty, and whose sessions are not marked.
    """
    return build_timeline(log, config, window=window)


def shard_timeline(frame: Timeline, log: ClickLog, first: int, config: ReplayConfig) -> Timeline:
    """The timeline of some sessions that follow each other, with all that they show.

    Args:
        frame: Of all sessions.
        log: The sessions and what they show.
        first: The first of them.
        config: Says when a session is marked.
    """
    n = int(np.clip(frame.n_sessions - first, 0, log.n_sessions))

    def within(session: int) -> int:
        return int(np.clip(session - first, 0, n))

    mine = slice(first, first + n)
    click_at = first_events(log.event_impression, log.event_created_at, log.n_impressions)
    return replace(
        frame,
        log=log,
        warmup_end=within(frame.warmup_end),
        tune_end=within(frame.tune_end),
        scored_from=within(frame.scored_from),
        n_sessions=n,
        owner=frame.owner[mine],
        withheld=frame.withheld[mine],
        click_at=click_at[: log.impression_offsets[n]],
        marked_at=marking_times(log, config.quiet_seconds)[:n],
    )


def pair_timeline(frame: Timeline, rows: PairRows) -> Timeline:
    """The timeline of some pairs: all sessions, of which each shows only what is of these pairs.

    Args:
        frame: Of all sessions.
        rows: The showings.
    """
    shown = np.bincount(rows.session, minlength=frame.log.n_sessions)
    log = replace(frame.log, impression_offsets=offsets_of(shown), impression_object=rows.object)
    return replace(frame, log=log, click_at=rows.click_at)
