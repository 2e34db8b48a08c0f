"""Why nothing is reached, on logs written by hand."""

import pytest

from experiments.data.card.no_reach import reach_changes, why_nothing_is_reached
from tests.experiments.hand_log import Session, write_log


def two_searches(gap, *, users=(0, 0)):
    """The same list twice, clicked 5 s after the first search."""
    first = Session(0, (0, 1, 2), ((1, 5),), user=users[0])
    return write_log(first, Session(gap, (0, 1, 2), user=users[1]))


def reaches(log, quiet, interval):
    return {item.settings: item.reach for item in reach_changes(log, "user_id", quiet, interval)}


def test_a_quiet_time_that_is_too_long_is_named():
    log = two_searches(100)
    assert reaches(log, 1800, 60) == {
        "replay.quiet_seconds=0": 0.5,
        "adjuster.interval_seconds=0": 0.0,
        "replay.quiet_seconds=0 adjuster.interval_seconds=0": 0.5,
        "replay.personalize_by=segment": 0.0,
        "replay.personalize_by=none": 0.0,
    }
    assert why_nothing_is_reached(log, "user_id", 1800, 60) == (
        "Reach is 0: under replay.personalize_by=user_id, replay.quiet_seconds=1800 and "
        "adjuster.interval_seconds=60 no session shows what feedback has changed before it, and "
        "replay.quiet_seconds keeps it away. Expected reach with another value: "
        "replay.quiet_seconds=0 50.0%; adjuster.interval_seconds=0 0.0%; "
        "replay.quiet_seconds=0 adjuster.interval_seconds=0 50.0%; "
        "replay.personalize_by=segment 0.0%; replay.personalize_by=none 0.0%."
    )


@pytest.mark.parametrize(
    ("gap", "users", "quiet", "interval", "cause"),
    [
        (100, (0, 0), 0, 3600, "adjuster.interval_seconds keeps it away"),
        (100, (0, 0), 60, 3600, "adjuster.interval_seconds keeps it away"),
        (
            100,
            (0, 0),
            1800,
            3600,
            "replay.quiet_seconds and adjuster.interval_seconds keep it away",
        ),
        (9000, (0, 1), 1800, 3600, "replay.personalize_by keeps it away"),
        (3, (0, 0), 1800, 3600, "no change of them helps"),
    ],
)
def test_the_setting_that_keeps_feedback_away_is_named(gap, users, quiet, interval, cause):
    log = two_searches(gap, users=users)
    assert cause in why_nothing_is_reached(log, "user_id", quiet, interval)
