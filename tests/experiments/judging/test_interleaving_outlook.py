"""The plan of a log's traffic, worked by hand."""

import math
from dataclasses import replace

import numpy as np
import pytest

from adjuster.live.monitoring.plan import plan_interleaving
from experiments.judging.interleaving_outlook import interleaving_plan
from tests.experiments.random_log import make_log

LOG = make_log(1, n_sessions=60, span_seconds=40_000)


def test_it_plans_with_the_logs_clicks_and_traffic():
    clicked = len(set(LOG.event_session.tolist())) / 60
    plan = interleaving_plan(LOG, gain=0.02, reach=0.5, min_gain=0.005)
    # Less than a day of log is taken for one.
    assert plan == plan_interleaving(0.02, clicked / 2, 60.0)
    at = LOG.session_created_at[0] + np.arange(60) * 86_400
    longer = replace(LOG, session_created_at=at)
    assert interleaving_plan(longer, gain=0.02, reach=0.5, min_gain=0.0).days == pytest.approx(
        59 * plan.days
    )


@pytest.mark.parametrize("gain", [math.nan, -0.1, 0.001])
def test_a_gain_that_is_none_worth_having_is_planned_as_the_smallest_that_is(gain):
    assert interleaving_plan(LOG, gain=gain, reach=1.0, min_gain=0.01).gain == 0.01


@pytest.mark.parametrize(("reach", "min_gain"), [(0.0, 0.01), (math.nan, 0.01), (0.5, 0.0)])
def test_where_nothing_would_differ_there_is_no_plan(reach, min_gain):
    assert interleaving_plan(LOG, gain=math.nan, reach=reach, min_gain=min_gain) is None
