"""What lasts of a gain: against a loop, by hand, and where people only find again."""

from dataclasses import replace

import numpy as np
import pytest

from adjuster.ticks import NEVER
from experiments.config.data import SimulatedConfig
from experiments.config.replay import ObjectiveConfig, ReplayConfig, SplitConfig
from experiments.data.format.folder import load_click_log
from experiments.data.made.kinds import SHOP
from experiments.data.made.simulated import prepare_simulated
from experiments.replay.click_history import DAY, clicked_before, clicked_long_ago
from experiments.replay.gain_parts import lasting_part, never_clicked
from experiments.replay.layout import lay_out
from experiments.replay.replay import Replay
from experiments.replay.timeline import build_timeline
from tests.experiments.hand_log import Session, write_log
from tests.experiments.random_log import make_log

WHOLE = ReplayConfig(split=SplitConfig(0.0, 1.0))


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("days", [0, 0.5, 2])
def test_long_ago_is_what_a_loop_over_earlier_sessions_says(seed, days):
    log = make_log(seed, n_sessions=150, span_seconds=6 * DAY)
    timeline = build_timeline(log, WHOLE)
    latest = {}
    expected = []
    for session in range(timeline.n_sessions):
        user, now = log.session_user[session], timeline.created_at[session]
        rows = range(*timeline.offsets[session : session + 2])
        for row in rows:
            last = latest.get((user, log.impression_object[row]))
            expected.append(user >= 0 and last is not None and last < now - days * DAY)
        for row in rows:
            if timeline.click_at[row] < NEVER:
                pair = (user, log.impression_object[row])
                latest[pair] = max(timeline.click_at[row], latest.get(pair, 0))
    found = clicked_long_ago(timeline, days)
    assert found.tolist() == [bool(flag) for flag in expected]
    assert not (found & ~clicked_before(timeline)).any()
    assert found.any()


def test_lasting_is_what_is_clicked_more_than_what_was_never_clicked_at_its_position():
    day = DAY
    log = write_log(
        Session(100, (0, 1), ((0, 101),)),
        Session(5 * day, (0, 1), ((0, 5 * day + 1),)),  # five days: lately
        Session(20 * day, (0, 1), ((0, 20 * day + 1),)),  # fifteen days: long ago
        Session(21 * day, (2, 1), ((2, 21 * day + 1),), user=1),
        Session(22 * day, (3, 1), ((1, 22 * day + 1),), user=1),
    )
    layout = lay_out(log, WHOLE, ObjectiveConfig(estimator="naive"))
    of = (layout.timeline, layout.labels, layout.scoring.linear, np.ones(5))
    part = lasting_part(*of, never_clicked(*of))
    # On top, objects 0, 2 and 3 were shown to who had never clicked them: two were clicked.
    assert part.rows.tolist() == [4]
    assert part.worth == pytest.approx([1 - 2 / 3])
    lift = np.zeros(10)
    lift[4] = 0.6
    assert part.change(lift, 5) == pytest.approx([0, 0, 0.2, 0, 0])


def gains_of(tmp_path, config: SimulatedConfig):
    """Refound and lasting parts of putting on top what the user clicked before."""
    prepare_simulated(tmp_path / "log", config, 0)
    layout = lay_out(
        load_click_log(tmp_path / "log"), ReplayConfig(), ObjectiveConfig(estimator="naive")
    )
    sessions = Replay(layout).score_ranking(layout.before + layout.labels.clicked_before).sessions
    return sessions.refound.mean(), sessions.lasting.mean()


def test_little_lasts_where_people_only_find_again(tmp_path):
    refinding = replace(
        SHOP, n_sessions=6000, clicks_follow="refinding", n_days=30, examination_decay=0
    )
    refound, lasting = gains_of(tmp_path, refinding)
    assert refound > 0.1
    assert abs(lasting) < 0.1 * refound


def test_most_lasts_where_people_like(tmp_path):
    tastes = replace(SHOP, taste_weight=0.94, crowd_weight=0.0, examination_decay=0)
    refound, lasting = gains_of(tmp_path, tastes)
    assert refound > 0.1
    assert lasting > 0.3 * refound
