"""A replay in partitions against the whole one: equal to the last bit, however the log is cut."""

import gc
from contextlib import closing
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from experiments.common.errors import InputError
from experiments.config.replay import ObjectiveConfig, ReplayConfig
from experiments.data.format.folder import load_click_log
from experiments.data.partitioned_log import PartitionedLog
from experiments.data.partitioning import partition_log
from experiments.replay.layout import lay_out
from experiments.replay.partitioned.replay import PartitionedReplay
from experiments.replay.partitioned.workbench import PLANS_KEPT
from experiments.replay.partitioned.worker import Worker
from experiments.replay.replay import Replay
from tests.experiments.log_folder import showing, write_folder
from tests.experiments.planted_replay import make_settings
from tests.experiments.random_log import make_log

NAIVE = ObjectiveConfig(estimator="naive")

SETTINGS = [
    {"memory": "carry", "interval_seconds": 3600},
    {"memory": "restart", "interval_seconds": 600, "optimizer": "sgd"},
    {"memory": "refit", "interval_seconds": 7200},
    {"memory": "refit", "interval_seconds": 0, "loss": "logistic", "optimizer": "sgd"},
    {"memory": "carry", "interval_seconds": 0, "term_weight": "impression"},
]


def steps(replay, setting):
    """All that a replay tells on its way, and its result."""
    blocks, told = replay.iter_blocks(setting), []
    while True:
        try:
            told.append(next(blocks))
        except StopIteration as end:
            return told, end.value


def assert_equal(found, expected):
    (told, result), (whole_told, whole) = found, expected
    np.testing.assert_equal([vars(step) for step in told], [vars(step) for step in whole_told])
    np.testing.assert_equal(result.metrics, whole.metrics)
    np.testing.assert_equal(vars(result.sessions), vars(whole.sessions))
    np.testing.assert_equal(result.blocks, whole.blocks)
    assert (result.bystanders is None) == (whole.bystanders is None)
    if whole.bystanders is not None:
        np.testing.assert_equal(vars(result.bystanders), vars(whole.bystanders))
    np.testing.assert_equal(
        [vars(point) for point in result.curve], [vars(point) for point in whole.curve]
    )
    assert result.counts == whole.counts


def whole_and_cut(folder, objective=NAIVE, *, window="tune", **changes):
    """Maker of both replays of one log: whole, and in so many parts by this."""
    config = ReplayConfig(quiet_seconds=60, batch_size=7, n_blocks=4, n_threads=1, **changes)

    def cut(n_parts, by):
        partition_log(folder, folder.parent / "parts", n_parts, by=by, overwrite=True)
        data = PartitionedLog(folder.parent / "parts", names=False)
        return PartitionedReplay(data, config, objective, window)

    return lambda: Replay(lay_out(load_click_log(folder), config, objective, window)), cut


def log_in(path, seed=0, n_users=25, n_sessions=80):
    log = make_log(seed, n_sessions=n_sessions, n_users=n_users, span_seconds=3_000_000)
    return write_folder(path / "log", showing(log), seed)


def assert_no_bit_changes(path, setting, scope, by, n_parts):
    """A setting that does something comes to the same in so many parts as in the whole log."""
    whole, cut = whole_and_cut(log_in(path), personalize_by=scope, bystander_share=0.3)
    expected = steps(whole(), setting)
    with closing(cut(n_parts, by)) as replay:
        assert_equal(steps(replay, setting), expected)
    assert expected[1].metrics["reach"] > 0
    assert expected[1].metrics["drift_at_log_end"] > 0


@pytest.mark.parametrize("values", SETTINGS)
@pytest.mark.parametrize(
    ("scope", "by", "n_parts"),
    [
        ("user_id", "user", 3),
        ("user_id", "object", 16),
        ("segment", "object", 2),
        ("none", "object", 4),
    ],
)
def test_a_cut_changes_no_bit(tmp_path, values, scope, by, n_parts):
    assert_no_bit_changes(tmp_path, make_settings(**values), scope, by, n_parts)


@pytest.mark.slow
@settings(max_examples=60, deadline=None, phases=[Phase.explicit, Phase.generate])
@given(
    seed=st.integers(0, 10_000),
    n_parts=st.integers(1, 16),
    by=st.sampled_from(["user", "object"]),
    scope=st.sampled_from(["user_id", "segment", "none"]),
    values=st.sampled_from(SETTINGS),
    window=st.sampled_from(["tune", "test", "all"]),
    objective=st.builds(
        ObjectiveConfig,
        estimator=st.sampled_from(["naive", "judged"]),
        repeat_clicks=st.sampled_from(["count", "ignore"]),
        metric=st.sampled_from(["ndcg_at_10", "mrr"]),
    ),
    n_users=st.sampled_from([3, 25]),
    bystander_share=st.sampled_from([0.0, 0.3]),
)
def test_no_cut_of_any_log_changes_a_bit(
    seed, n_parts, by, scope, values, window, objective, n_users, bystander_share
):
    with TemporaryDirectory() as name:
        folder = log_in(Path(name), seed, n_users)
        whole, cut = whole_and_cut(
            folder,
            objective,
            window=window,
            personalize_by=scope,
            bystander_share=bystander_share,
            seed=seed,
        )
        by = by if scope == "user_id" else "object"
        try:
            expected = steps(whole(), make_settings(**values))
        except InputError as error:
            with pytest.raises(InputError, match=str(error)[:30]):
                cut(n_parts, by)
            return
        with closing(cut(n_parts, by)) as replay:
            assert_equal(steps(replay, make_settings(**values)), expected)
            assert_equal(steps(replay, make_settings(**values)), expected)


@pytest.mark.parametrize(
    ("by", "config", "objective", "told"),
    [
        ("user", {"personalize_by": "none"}, NAIVE, "Partition it with by=object"),
        ("user", {"exploration_ratio": 0.1}, NAIVE, "exploration_ratio must be 0"),
        ("user", {}, ObjectiveConfig(), "estimator must be naive or judged"),
        ("user", {}, ObjectiveConfig(estimator="logged"), "estimator must be naive or judged"),
    ],
)
def test_what_needs_the_whole_log_is_refused(tmp_path, by, config, objective, told):
    _, cut = whole_and_cut(log_in(tmp_path), objective, **config)
    with pytest.raises(InputError, match=told):
        cut(2, by)
    assert not list((tmp_path / "parts").glob(".replay-*"))


def test_each_partition_that_is_done_is_told(tmp_path):
    folder, told = log_in(tmp_path), []
    partition_log(folder, tmp_path / "parts", 3)
    data = PartitionedLog(tmp_path / "parts")
    config = ReplayConfig(quiet_seconds=60)
    made = PartitionedReplay(data, config, NAIVE, on_partition=lambda: told.append(1))
    with closing(made) as replay:
        before = len(told)
        replay.run(make_settings())
        assert len(told) - before == replay.n_steps


def test_a_replay_that_is_dropped_leaves_nothing_on_disk_and_asks_for_no_collector(tmp_path):
    _, cut = whole_and_cut(log_in(tmp_path))
    gc.disable()
    try:
        replay = cut(2, "user")
        replay.run(make_settings())
        assert list((tmp_path / "parts").glob(".replay-*"))
        del replay
        assert not list((tmp_path / "parts").glob(".replay-*"))
    finally:
        gc.enable()


def test_a_further_trial_reads_what_the_first_worked_out(tmp_path, monkeypatch):
    whole, cut = whole_and_cut(log_in(tmp_path))
    one, other = make_settings(), make_settings(adjustment_rate=0.05)
    with closing(cut(2, "user")) as replay:
        replay.run(one)
        monkeypatch.setattr(Worker, "showings", None)
        monkeypatch.setattr(Worker, "lessons", None)
        monkeypatch.setattr(Worker, "board", None)
        found = replay.run(other)
        with pytest.raises(TypeError, match="not callable"):
            replay.run(make_settings(interval_seconds=60))
    np.testing.assert_equal(found.metrics, whole().run(other).metrics)


def test_plans_beyond_the_last_two_are_removed(tmp_path):
    _, cut = whole_and_cut(log_in(tmp_path))
    with closing(cut(2, "user")) as replay:
        for interval in (60, 3600, 7200):
            replay.run(make_settings(interval_seconds=interval))
        kept = list((tmp_path / "parts").glob(".replay-*/lessons-*"))
    assert len(kept) == 2 * PLANS_KEPT
