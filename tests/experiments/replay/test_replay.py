"""The fast replay against a naive one and against the live worker on a virtual clock."""

from dataclasses import replace

import numpy as np
import pytest

from adjuster.adjusters.base import VectorsAdjuster
from adjuster.adjusters.torch_adjuster import TorchBasedAdjuster
from adjuster.config import AdjusterConfig
from adjuster.fused_engine.knobs import make_knobs
from adjuster.live.retrieval.personalization import PersonalizedVectors
from adjuster.selection import SelectionConfig
from adjuster.ticks import NEVER
from experiments.common.errors import InputError
from experiments.config.replay import ObjectiveConfig, ReplayConfig, SplitConfig
from experiments.replay.layout import lay_out
from experiments.replay.pair_streams import PairStreams
from experiments.replay.plan import resolve
from experiments.replay.replay import Replay
from experiments.replay.settings import Settings
from experiments.replay.timeline import withheld_queries
from tests.experiments.naive_replay import original, replay_naively
from tests.experiments.random_log import make_log
from tests.experiments.worker_replay import LogIndex, TickingReplay, drift_of

SCOPES = ("user_id", "segment", "none")


def settings_of(*, selection: SelectionConfig | None = None, **values) -> Settings:
    values = {"adjustment_rate": 0.01, "num_iterations": 3, **values}
    return Settings(AdjusterConfig(**values), selection or SelectionConfig())


def replay_of(log, config: ReplayConfig | None = None, objective: ObjectiveConfig | None = None):
    objective = objective or ObjectiveConfig(estimator="naive")
    return Replay(lay_out(log, config or ReplayConfig(), objective))


def fast_scores(replay: Replay, settings: Settings):
    """The fast replay's scores, adjusted flags and result."""
    layout = replay.layout
    knobs = make_knobs(layout.log.index, resolve(layout, settings).adjuster)
    streams = PairStreams(layout, replay.plan(settings).lessons, knobs)
    scores, adjusted = layout.before.copy(), np.zeros(len(layout.before), bool)
    for block in layout.blocks:
        streams.advance(block.span, scores, adjusted)
    return scores, adjusted, streams.state


CASES = [
    {"interval_seconds": 0},
    {"interval_seconds": 600},
    {"interval_seconds": 7200},
    {"memory": "refit", "interval_seconds": 3600},
    {"memory": "refit", "interval_seconds": 0, "loss": "linear", "optimizer": "sgd"},
    {"memory": "restart", "interval_seconds": 3600, "anchor_weight": 0.2, "optimizer": "sgd"},
    {"memory": "restart", "interval_seconds": 600, "non_clicked_weight": 0.0},
    {"term_weight": "impression", "reduction": "mean", "anchor_weight": 0.3},
    {"loss": "logistic", "logit_bias": 0.1, "optimizer": "sgd", "adjustment_rate": 0.5},
    {"non_clicked_weight": 0.0},
    {"max_drift": 0.02, "adjustment_rate": 0.05},
    {"selection": SelectionConfig(min_clicks=2, max_clicks=3)},
    {"selection": SelectionConfig(min_duration_seconds=100)},
    {"selection": SelectionConfig(min_clicked_position=2)},
]


@pytest.mark.parametrize("scope", SCOPES)
@pytest.mark.parametrize(("number", "case"), list(enumerate(CASES)))
def test_the_fast_replay_equals_a_naive_one(scope, number, case):
    metric = ("cosine", "dot", "euclid")[number % 3]
    pooling = ("min", "avg")[number % 2]
    log = make_log(number, metric=metric, pooling=pooling, query_parts=1 + number % 3)
    settings = settings_of(**case)
    batch_size = 1 + number % 4
    replay = replay_of(
        log, ReplayConfig(personalize_by=scope, batch_size=batch_size, n_blocks=1 + number % 5)
    )
    scores, adjusted, state = fast_scores(replay, settings)
    expected, touched, copies = replay_naively(
        log,
        settings,
        scope=scope,
        warmup_end=replay.layout.timeline.warmup_end,
        n_sessions=replay.layout.timeline.n_sessions,
        batch_size=batch_size,
    )
    flat = np.array([value for s in sorted(expected) for value in expected[s]])
    flags = np.array([flag for s in sorted(touched) for flag in touched[s]], bool)
    np.testing.assert_allclose(scores, flat, atol=1e-6, rtol=1e-6)
    np.testing.assert_array_equal(adjusted, flags)
    assert flags.any()
    expected_drift = sorted(naive_drift(log, key[1], rows) for key, rows in copies.items())
    np.testing.assert_allclose(sorted(state.drift[state.touched]), expected_drift, atol=1e-6)


def naive_drift(log, o, rows):
    cosines = [
        float(a @ b / (np.linalg.norm(a) * np.linalg.norm(b)))
        for a, b in zip(original(log, o).astype(float), rows.astype(float), strict=True)
    ]
    return 1 - sum(cosines) / len(cosines)


def make_worker_adjuster(log, settings) -> VectorsAdjuster:
    return TorchBasedAdjuster.from_config(log.index, settings.adjuster)


@pytest.mark.parametrize("scope", SCOPES)
@pytest.mark.parametrize("case", CASES)
def test_the_fast_replay_equals_the_worker_ticking_through_calendar_time(scope, case):
    log = make_log(7, n_sessions=80, metric="cosine")
    settings = settings_of(**case)
    replay = replay_of(log, ReplayConfig(personalize_by=scope, batch_size=3))
    scores, adjusted, state = fast_scores(replay, settings)
    vectors = PersonalizedVectors(LogIndex(log))
    ticking = TickingReplay(
        replay.layout.timeline,
        make_worker_adjuster(log, settings),
        settings,
        batch_size=3,
        memory=settings.adjuster.memory,
    )
    slow, slow_adjusted = replay.layout.before.copy(), np.zeros(len(replay.layout.before), bool)
    sessions = list(ticking.run(vectors, slow, slow_adjusted))
    assert sessions == list(range(replay.layout.timeline.n_sessions + 1))
    np.testing.assert_allclose(scores, slow, atol=1e-6, rtol=1e-6)
    np.testing.assert_array_equal(adjusted, slow_adjusted)
    np.testing.assert_allclose(
        np.sort(state.drift[state.touched]), np.sort(drift_of(vectors)), atol=1e-6
    )


def test_withheld_queries_teach_nothing_and_are_scored_apart():
    log = make_log(3, n_sessions=120)
    config = ReplayConfig(personalize_by="none", bystander_share=0.4, bystander_fold=1)
    replay = replay_of(log, config)
    settings = settings_of()
    scores, _, _ = fast_scores(replay, settings)
    withheld = set(np.flatnonzero(withheld_queries(log, config)))
    assert 0 < len(withheld) < len(log.query_ids)
    expected, _, _ = replay_naively(
        log,
        settings,
        scope="none",
        warmup_end=replay.layout.timeline.warmup_end,
        n_sessions=replay.layout.timeline.n_sessions,
        batch_size=1024,
        withheld=withheld,
    )
    flat = np.array([value for s in sorted(expected) for value in expected[s]])
    np.testing.assert_allclose(scores, flat, atol=1e-6, rtol=1e-6)
    result = replay.run(settings)
    queries = log.session_query
    assert set(queries[result.bystanders.session]) <= withheld
    assert not set(queries[result.sessions.session]) & withheld
    assert result.counts.by_fate["withheld"] > 0


def test_the_folds_withhold_every_query_once():
    log = make_log(3)
    folds = [
        withheld_queries(log, ReplayConfig(bystander_share=0.2, bystander_fold=fold))
        for fold in range(5)
    ]
    assert np.array(folds).sum(axis=0).tolist() == [1] * len(log.query_ids)


def test_blocks_and_threads_change_no_figure():
    log = make_log(11, n_sessions=200, n_users=40)
    settings = settings_of(adjustment_rate=0.1)
    results = [
        replay_of(log, ReplayConfig(n_blocks=n_blocks, n_threads=n_threads)).run(settings)
        for n_blocks, n_threads in ((1, 1), (3, 2), (20, 1))
    ]
    for other in results[1:]:
        for name, value in results[0].metrics.items():
            assert other.metrics[name] == value
        np.testing.assert_array_equal(results[0].sessions.after["mrr"], other.sessions.after["mrr"])


def test_the_answer_planted_in_the_future_is_not_found():
    """Whatever happens after the window, or a click that comes too late, changes nothing."""
    log = make_log(5, n_sessions=150)
    config = ReplayConfig(split=SplitConfig(0.2, 0.4))
    settings = settings_of(adjustment_rate=0.1)
    tune = replay_of(log, config).run(settings)
    end = round(log.n_sessions * 0.6)
    rng = np.random.default_rng(0)
    future = np.array(log.session_query)
    future[end:] = rng.integers(0, len(log.query_ids), log.n_sessions - end)
    swapped = np.array(log.impression_object)
    first = log.impression_offsets[end]
    for s in range(end, log.n_sessions):
        rows = slice(log.impression_offsets[s], log.impression_offsets[s + 1])
        swapped[rows] = rng.permutation(log.n_objects)[: rows.stop - rows.start]
    assert (swapped[first:] != log.impression_object[first:]).any()
    other = replace(log, session_query=future, impression_object=swapped)
    again = replay_of(other, config).run(settings)
    assert again.metrics == tune.metrics


def test_a_click_after_the_tick_is_counted_as_late_and_not_learnt():
    log = make_log(9, n_sessions=100)
    replay = replay_of(log)
    settings = settings_of(interval_seconds=0)
    schedule = replay.plan(settings).schedule
    timeline = replay.layout.timeline
    late = (timeline.click_at > schedule.tick_at[timeline.session_of]) & (timeline.click_at < NEVER)
    assert late.any()
    known_at = schedule.taken.known_at[timeline.session_of]
    assert not (timeline.click_at <= known_at)[late].any()
    assert replay.run(settings).counts.late_clicks == late.sum()


def test_counts_say_what_became_of_every_session():
    log = make_log(13, n_sessions=150)
    replay = replay_of(log)
    counts = replay.run(settings_of(selection=SelectionConfig(min_clicks=2))).counts
    fates = counts.by_fate
    assert sum(fates.values()) == replay.layout.timeline.n_sessions
    assert {"selected", "no_click", "no_owner", "irrelevant", "too_few_clicks"} <= set(fates)


def test_published_semantics_tell_every_block_and_move_vectors():
    log = make_log(2, n_sessions=80)
    replay = replay_of(log, ReplayConfig(personalize_by="none"))
    checkpoints = []
    blocks = replay.iter_blocks(settings_of(semantics="published"))
    try:
        while True:
            checkpoints.append(next(blocks))
    except StopIteration as end:
        result = end.value
    assert len(checkpoints) == len(replay.layout.blocks)
    assert checkpoints[-1].running_value == pytest.approx(result.metrics["ndcg_at_10"])
    assert result.metrics["drift_mean"] > 0
    assert result.metrics["reach"] > 0


def test_zero_iterations_change_nothing_and_reach_nobody():
    result = replay_of(make_log(1), ReplayConfig()).run(settings_of(num_iterations=0))
    assert result.metrics["reach"] == 0
    assert result.metrics["drift_mean"] == 0
    assert result.metrics["delta_ndcg_at_10"] == 0


def test_a_scope_the_log_does_not_know_is_refused():
    log = make_log(1)
    nobody = replace(log, session_user=np.full(log.n_sessions, -1, np.int32))
    with pytest.raises(InputError, match="personalize_by=none"):
        replay_of(nobody, ReplayConfig(personalize_by="user_id"))


def test_a_log_without_clicks_is_refused():
    log = make_log(1)
    silent = replace(
        log, event_impression=np.empty(0, np.int64), event_created_at=np.empty(0, np.int64)
    )
    with pytest.raises(InputError, match="positive label"):
        replay_of(silent, ReplayConfig())


def test_a_diverging_setting_is_an_error_that_says_so():
    replay = replay_of(make_log(4, metric="dot"), ReplayConfig())
    settings = settings_of(optimizer="sgd", adjustment_rate=10, num_iterations=50)
    with pytest.raises(FloatingPointError, match="diverges"):
        replay.run(settings)


def test_judgements_score_instead_of_clicks():
    log = make_log(6)
    clicks = replay_of(log).run(settings_of())
    judged = replay_of(log, ReplayConfig(), ObjectiveConfig(estimator="judged")).run(settings_of())
    assert len(judged.sessions.session) != len(clicks.sessions.session)


def test_repeat_clicks_ignored_leave_out_what_the_user_clicked_before():
    log = make_log(8, n_sessions=150)
    replay = replay_of(
        log, ReplayConfig(), ObjectiveConfig(repeat_clicks="ignore", estimator="naive")
    )
    left_out = replay.layout.labels.left_out
    for s in range(replay.layout.timeline.n_sessions):
        user = log.session_user[s]
        before = (
            {
                int(log.impression_object[impression])
                for impression, at in zip(log.event_impression, log.event_created_at, strict=True)
                if at < log.session_created_at[s]
                and log.session_user[replay.layout.timeline.session_of[impression]] == user
                and user >= 0
            }
            if user >= 0
            else set()
        )
        rows = slice(log.impression_offsets[s], log.impression_offsets[s + 1])
        expected = [int(o) in before for o in log.impression_object[rows]]
        assert left_out[rows].tolist() == expected
    assert left_out.any()
