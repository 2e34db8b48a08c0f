"""The published semantics over a whole log: one walk through all of its sessions."""

from adjuster.config import AdjusterConfig
from experiments.replay.layout import Layout
from experiments.replay.published_copies import no_copies
from experiments.replay.published_sessions import calls_of, taught_sessions
from experiments.replay.published_walk import Beginning, PublishedWalk, WalkState
from experiments.replay.schedule import Schedule


def walk_through(layout: Layout, schedule: Schedule, config: AdjusterConfig) -> PublishedWalk:
    """A walk through all sessions of a layout, at its beginning.

    Args:
        layout: The layout.
        schedule: The worker's ticks.
        config: The setting; it cannot refit, and carries then.
    """
    timeline = layout.timeline
    calls = calls_of(schedule, timeline.marked_at)
    state = WalkState(no_copies(timeline.log), taught_sessions(timeline, calls))
    return PublishedWalk(
        timeline,
        layout.corpus,
        schedule.step_at,
        config,
        Beginning(state),
        n_threads=layout.config.n_threads,
    )
