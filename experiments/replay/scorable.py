"""How much of the sealed test can be scored: counts of sessions and people, nothing else.

Whether a session can be scored is known of its labels alone. Nothing here looks at where a
result stood, so that it says nothing of how good any ranking of the test is.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from adjuster.ticks import NEVER
from experiments.replay.click_history import clicked_before
from experiments.replay.layout import Layout
from experiments.replay.timeline import Timeline, build_timeline

DAY = 86_400

CLICK, RELEVANT = "click", "relevant result"
NEW_CLICK, NEW_RELEVANT = "click on anything new", "relevant result that is new"
"""What a session that cannot be scored is without; new is what its user had not clicked before,
where nothing else counts."""


@dataclass(frozen=True)
class Scorable:
    """What of the sealed test can be scored.

    Args:
        n_sessions: Sessions of the test.
        n_scorable: Those that can be scored.
        n_withheld: Those that show something good, and are withheld as bystanders.
        lacking: What the others are without.
        n_users: Known users in all of them.
        n_scorable_users: Known users in those that can be scored.
        n_unknown: Scorable sessions whose user is not known.
        n_units: (owner of vectors, query, day) of those that can be scored.
    """

    n_sessions: int
    n_scorable: int
    n_withheld: int
    lacking: str
    n_users: int
    n_scorable_users: int
    n_unknown: int
    n_units: int

    @property
    def n_people(self) -> int:
        """Who counts once in the users' means: users, and each session of an unknown one."""
        return self.n_scorable_users + self.n_unknown


def scorable_in_test(layout: Layout) -> Scorable:
    """Count what of the sealed test can be scored by the objective of a layout of the log.

    Args:
        layout: Of any window.
    """
    lacking = _lacking(layout)
    if layout.timeline.tune_end >= layout.log.n_sessions:
        return Scorable(0, 0, 0, lacking, 0, 0, 0, 0)
    test = build_timeline(layout.log, layout.config, window="test")
    window = slice(test.scored_from, test.n_sessions)
    shows_good = np.zeros(test.n_sessions, np.bool_)
    shows_good[test.session_of[_is_good(test, lacking)]] = True
    keep = shows_good[window] & ~test.withheld[window]
    person = layout.log.session_person[window]
    units = np.stack([test.owner, test.query, test.created_at // DAY])[:, window]
    return Scorable(
        n_sessions=len(keep),
        n_scorable=int(keep.sum()),
        n_withheld=int((shows_good[window] & test.withheld[window]).sum()),
        lacking=lacking,
        n_users=_n_known(person),
        n_scorable_users=_n_known(person[keep]),
        n_unknown=int((person[keep] < 0).sum()),
        n_units=np.unique(units[:, keep], axis=1).shape[1],
    )


def _lacking(layout: Layout) -> str:
    labels = layout.labels
    if labels.left_out is not None:
        return NEW_RELEVANT if labels.judged is not None else NEW_CLICK
    return RELEVANT if labels.judged is not None else CLICK


def _is_good(timeline: Timeline, lacking: str) -> NDArray[np.bool_]:
    """Which impressions have a positive label that counts, shape ``(n_impressions,)``."""
    relevance = timeline.log.impression_relevance[: timeline.n_impressions]
    good = relevance > 0 if lacking in (RELEVANT, NEW_RELEVANT) else timeline.click_at < NEVER
    counts = lacking in (RELEVANT, CLICK) or ~clicked_before(timeline)
    return np.asarray(good & counts)


def _n_known(person: NDArray[np.int64]) -> int:
    return len(np.unique(person[person >= 0]))
