"""The published semantics over arrays against the live worker on a virtual clock: every bit."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from adjuster.config import AdjusterConfig
from adjuster.live.retrieval.personalization import PersonalizedVectors
from adjuster.selection import SelectionConfig
from experiments.config.replay import ObjectiveConfig, ReplayConfig, SplitConfig
from experiments.data.format.click_log import ClickLog
from experiments.replay.copies import learn_copies
from experiments.replay.drift_growth import sum_drift
from experiments.replay.layout import Layout, lay_out
from experiments.replay.plan import find_schedule
from experiments.replay.published_replay import walk_through
from experiments.replay.settings import Settings
from tests.experiments.random_log import make_log
from tests.experiments.replay.tiny_log import Search, tiny_log
from tests.experiments.worker_replay import LogIndex, drift_of, published_replay


def layout_of(log: ClickLog, window: str = "tune", **values) -> Layout:
    config = ReplayConfig(quiet_seconds=60, **values)
    return lay_out(log, config, ObjectiveConfig(estimator="naive"), window)


def published(*, selection: SelectionConfig | None = None, **values) -> Settings:
    chosen = {"adjustment_rate": 0.05, "num_iterations": 3, **values}
    return Settings(AdjusterConfig(semantics="published", **chosen), selection or SelectionConfig())


def by_worker(layout: Layout, setting: Settings):
    """Scores, which of them are of copies, the copies, and their drift half-way."""
    vectors = PersonalizedVectors(LogIndex(layout.log))
    scores, adjusted = layout.before.copy(), np.zeros(len(layout.before), bool)
    early = None
    worker = published_replay(layout.timeline, setting, layout.config.batch_size)
    for session in worker.run(vectors, scores, adjusted):
        if early is None and session >= layout.timeline.middle:
            early = sum_drift(drift_of(vectors))
    return scores, adjusted, vectors, early


def by_walk(layout: Layout, setting: Settings, ends=()):
    """The same over arrays, and the walk; it pauses before these sessions."""
    schedule = find_schedule(layout, setting.selection, setting.adjuster.interval_seconds)
    walk = walk_through(layout, schedule, setting.adjuster)
    scores, adjusted = layout.before.copy(), np.zeros(len(layout.before), bool)
    for end in (*ends, layout.timeline.n_sessions):
        walk.advance(end, scores, adjusted)
    walk.finish()
    return scores, adjusted, walk


def assert_equal_to_the_worker(layout: Layout, setting: Settings, ends=()):
    """Returns the walk, and how many scores are of copies."""
    scores, adjusted, walk = by_walk(layout, setting, ends)
    slow, slow_adjusted, vectors, early = by_worker(layout, setting)
    np.testing.assert_array_equal(adjusted, slow_adjusted)
    assert scores.tobytes() == slow.tobytes()
    table, log = walk.table, layout.log
    found = {}
    for slot in np.flatnonzero(table.is_copy):
        owner, row = divmod(int(table.pair[slot]), log.n_objects)
        found[log.object_ids[row], str(owner)] = table.vectors[table.rows(np.array([slot]))]
    expected = {(copy.original_id, copy.user_id): copy.vectors for copy in vectors}
    assert found.keys() == expected.keys()
    for pair, rows in expected.items():
        assert found[pair].tobytes() == rows.tobytes()
    for mine, theirs in ((walk.drift(), sum_drift(drift_of(vectors))), (walk.early_drift(), early)):
        np.testing.assert_array_equal(mine.means(), theirs.means())
        np.testing.assert_array_equal(mine.counts, theirs.counts)
    return walk, int(adjusted.sum())


CASES = [
    {"interval_seconds": 0},
    {"interval_seconds": 600, "memory": "restart"},
    {"interval_seconds": 7200, "softmin_temperature": 0.1},
    {"interval_seconds": 7200, "memory": "restart", "adjustment_rate": 1.0},
    {"interval_seconds": 3600, "memory": "refit"},
    {"selection": SelectionConfig(min_clicks=2)},
]


@pytest.mark.parametrize("scope", ["user_id", "segment", "none"])
@pytest.mark.parametrize(("number", "case"), list(enumerate(CASES)))
def test_equals_the_worker_to_the_last_bit(scope, number, case):
    log = make_log(
        number,
        n_sessions=120,
        metric=("cosine", "dot", "euclid")[number % 3],
        pooling=("min", "avg")[number % 2],
        query_parts=1 + number % 3,
    )
    layout = layout_of(log, personalize_by=scope, batch_size=(1, 3, 50)[number % 3])
    _, n_scored = assert_equal_to_the_worker(layout, published(**case), ends=(40, 41, 70))
    assert n_scored > 20


@pytest.mark.slow
@settings(max_examples=150, deadline=None)
@given(
    seed=st.integers(0, 10_000),
    scope=st.sampled_from(["user_id", "segment", "none"]),
    metric=st.sampled_from(["cosine", "dot", "euclid"]),
    pooling=st.sampled_from(["min", "avg"]),
    query_parts=st.integers(1, 3),
    memory=st.sampled_from(["carry", "restart"]),
    interval=st.sampled_from([0, 60, 3600, 20_000]),
    batch_size=st.sampled_from([1, 2, 5, 100]),
    n_objects=st.sampled_from([7, 12]),
    window=st.sampled_from(["tune", "test", "all"]),
    withheld=st.sampled_from([0.0, 0.3]),
)
def test_equals_the_worker_on_any_log(
    seed,
    scope,
    metric,
    pooling,
    query_parts,
    memory,
    interval,
    batch_size,
    n_objects,
    window,
    withheld,
):
    log = make_log(
        seed, metric=metric, pooling=pooling, query_parts=query_parts, n_objects=n_objects
    )
    config = {"personalize_by": scope, "batch_size": batch_size, "bystander_share": withheld}
    layout = layout_of(log, window, **config)
    setting = published(memory=memory, interval_seconds=interval)
    assert_equal_to_the_worker(layout, setting)


@pytest.mark.parametrize("memory", ["carry", "restart"])
def test_a_session_with_everything_clicked_brings_back_what_there_was_and_counts(memory):
    both = [(0, 15), (1, 15)]
    log = tiny_log(
        Search(0, 0, 0, [0, 1], [(0, 5)]),
        Search(10, 0, 0, [1, 2], both),
        Search(20, 0, 0, [0, 1], [(1, 25)]),
        *[Search(5_000 + at, 0, 0, [0, 1, 2], [(0, 5_005 + at)]) for at in range(20)],
    )
    setting = published(interval_seconds=3600, memory=memory)
    for n_together in (1, 2, 3):
        layout = layout_of(log, "all", batch_size=n_together)
        walk, _ = assert_equal_to_the_worker(layout, setting)
        assert walk.refused == []


def test_a_search_at_the_second_of_a_tick_reads_the_vectors_from_before_it():
    log = tiny_log(
        Search(0, 0, 0, [0, 1], [(0, 5)]),
        *[Search(at, 0, 0, [0, 1], [(0, 300)]) for at in (64, 65, 66)],
    )
    layout = layout_of(log, "all", split=SplitConfig(0.0, 0.5))
    setting = published(interval_seconds=0)
    assert find_schedule(layout, setting.selection, 0).step_at[0] == 65
    for ends in ((), (2,)):
        _, adjusted, _ = by_walk(layout, setting, ends)
        assert adjusted.tolist() == [False] * 6 + [True] * 2
        assert_equal_to_the_worker(layout, setting, ends)


@pytest.mark.parametrize("scope", ["user_id", "none"])
def test_vectors_of_any_length_are_moved_as_the_worker_moves_them(scope):
    log = make_log(3, n_sessions=100)
    lengths = np.geomspace(1e-30, 1e30, len(log.object_vectors)).astype(np.float32)
    log = replace(log, object_vectors=log.object_vectors * lengths[:, None])
    for memory in ("carry", "restart"):
        layout = layout_of(log, personalize_by=scope, batch_size=4)
        assert_equal_to_the_worker(layout, published(memory=memory, interval_seconds=600))


FADING = {"adjustment_rate": 10.0, "num_iterations": 500, "interval_seconds": 600}
"""An object without a gradient shrinks by a tenth in each iteration, to nothing that counts."""


def fading_log(**values) -> ClickLog:
    """A log in which half of the objects are orthogonal to all queries."""
    log = make_log(5, metric="dot", **values)
    objects, queries = log.object_vectors.copy(), log.query_vectors.copy()
    objects[: len(objects) // 2, 3:], queries[:, :3] = 0, 0
    return replace(log, object_vectors=objects, query_vectors=queries)


def diverging_log(**values) -> ClickLog:
    """A log of vectors so long that their first call makes some of them no numbers."""
    log = make_log(5, metric="dot", **values)
    objects = log.object_vectors.copy()
    objects[::3] *= np.float32(1e11)
    queries = log.query_vectors * np.float32(1e11)
    return replace(log, object_vectors=objects, query_vectors=queries)


@pytest.mark.parametrize("make", [fading_log, diverging_log])
@pytest.mark.parametrize("scope", ["user_id", "none"])
def test_who_shows_what_the_adjuster_refuses_is_left_out_as_the_worker_does(make, scope):
    log = make(n_sessions=150, n_users=3)
    layout = layout_of(log, personalize_by=scope, batch_size=5)
    walk, _ = assert_equal_to_the_worker(layout, published(**FADING))
    assert len(walk.refused) > 3


def test_threads_change_no_bit():
    log = make_log(8, n_sessions=900, n_users=40, span_seconds=20_000)
    setting = published(interval_seconds=7200)
    copies = [
        learn_copies(layout_of(log, personalize_by=scope, n_threads=n), setting)
        for scope in ("user_id", "none")
        for n in (1, 2)
    ]
    for one, two in (copies[:2], copies[2:]):
        assert len(one.object)
        assert one.vectors.tobytes() == two.vectors.tobytes()
