"""What the live store and worker end with is what the replay ends with, to the bit."""

import numpy as np
import pytest

from adjuster.config import AdjusterConfig
from adjuster.live.storage.records import Status
from adjuster.selection import SelectionConfig
from experiments.config.replay import ObjectiveConfig, ReplayConfig
from experiments.replay.copies import learn_copies
from experiments.replay.layout import Layout, lay_out
from experiments.replay.plan import make_plan, resolve
from experiments.replay.settings import Settings
from tests.experiments.random_log import make_log
from tests.experiments.replay.live_driver import copies_in, drive, make_worker, names_of_owners

SCOPES = ("user_id", "none")
CASES = {
    "published defaults": {},
    "impressions": {"term_weight": "impression", "reduction": "mean", "num_iterations": 4},
    "anchored": {"anchor_weight": 0.3, "max_drift": 0.05, "adjustment_rate": 0.05},
    "logistic": {"loss": "logistic", "logit_bias": 0.1, "optimizer": "sgd", "adjustment_rate": 0.5},
}


def replayed_copies(layout: Layout, settings: Settings):
    """(owner, object) → vectors at the end of the replay."""
    log, copies = layout.log, learn_copies(layout, settings)
    parts = np.diff(log.object_offsets)
    names = dict(enumerate(names_of_owners(log, layout.timeline.scope)))
    return {
        (names[owner], str(log.object_ids[row])): copies.vectors[first : first + parts[row]]
        for row, owner, first in zip(
            copies.object.tolist(), copies.owner.tolist(), copies.first.tolist(), strict=True
        )
    }


def assert_equal_to_the_bit(found, wanted) -> None:
    assert found.keys() == wanted.keys()
    assert len(wanted) > 5
    for pair, rows in wanted.items():
        assert found[pair].dtype == rows.dtype
        assert found[pair].tobytes() == rows.tobytes(), pair


@pytest.mark.parametrize(
    "live_place", ["sqlite", pytest.param("postgres", marks=pytest.mark.slow)], indirect=True
)
@pytest.mark.parametrize("scope", SCOPES)
@pytest.mark.parametrize("memory", ["carry", "restart", "refit"])
@pytest.mark.parametrize("case", CASES)
def test_the_store_ends_with_the_copies_of_the_replay(live_store, scope, memory, case):
    number = list(CASES).index(case)
    log = make_log(
        number + 20,
        n_sessions=90,
        metric=("cosine", "dot", "euclid", "cosine")[number],
        pooling=("min", "avg")[number % 2],
        query_parts=1 + number % 3,
    )
    config = ReplayConfig(personalize_by=scope, batch_size=3 + number)
    values = {"adjustment_rate": 0.01, "num_iterations": 3, **CASES[case], "memory": memory}
    interval = (3600, 900, 7200, 0)[number]
    settings = Settings(
        AdjusterConfig(**values, interval_seconds=interval),
        SelectionConfig(max_clicks=4, min_duration_seconds=5 * (number % 2)),
    )
    layout = lay_out(log, config, ObjectiveConfig(estimator="naive"), "all")
    settings = resolve(layout, settings)
    wanted = replayed_copies(layout, settings)
    worker = make_worker(live_store, log, settings, memory, batch_size=config.batch_size)
    drive(live_store, worker, log, config, scope, interval)
    assert_equal_to_the_bit(copies_in(live_store, {pair[0] for pair in wanted}), wanted)
    assert_the_report_is_the_schedules(live_store, layout, settings)


def assert_the_report_is_the_schedules(store, layout, settings) -> None:
    """Every tick took what the replay's tick took, for the same reasons."""
    adjuster = settings.adjuster
    plan = make_plan(layout, settings.selection, adjuster.interval_seconds, adjuster.term_weight)
    total: dict[str, int] = {}
    for counts in store.ticks(10**6).values():
        for reason, n in counts.items():
            total[reason] = total.get(reason, 0) + n
    expected = dict(plan.schedule.counts)
    n_refused, n_open = expected.pop("no_owner", 0), expected.pop("no_click", 0)
    assert total == expected
    counts = store.counts()
    assert counts.get(Status.REFUSED, 0) == n_refused
    assert counts.get(Status.OPEN, 0) == n_open
    assert counts[Status.DONE] == sum(expected.values())
    taken = plan.schedule.tick_at[plan.schedule.step >= 0]
    by_tick = {tick: found.get("selected", 0) for tick, found in store.ticks(10**6).items()}
    ticks, n_taken = np.unique(taken, return_counts=True)
    assert [by_tick[tick] for tick in ticks.tolist()] == n_taken.tolist()
