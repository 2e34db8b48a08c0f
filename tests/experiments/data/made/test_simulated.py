"""The simulated shop: sizes, seeds, and what is planted in it."""

import re
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from experiments.common.errors import InputError
from experiments.config.data import SimulatedConfig
from experiments.data.format.folder import load_click_log
from experiments.data.made.browsing import (
    attraction,
    click_times,
    draw_results,
    draw_searches,
    examination,
)
from experiments.data.made.shop import build_shop, relevance_of
from experiments.data.made.simulated import prepare_simulated, simulate
from experiments.simulate import main

SMALL = SimulatedConfig(
    n_sessions=3_000, n_users=30, n_objects=120, n_topics=3, n_queries=60, dimensions=16
)


@pytest.fixture(scope="module")
def small(tmp_path_factory):
    path = tmp_path_factory.mktemp("simulated") / "set"
    prepare_simulated(path, SMALL, seed=1)
    return load_click_log(path)


def test_sizes_are_as_asked(small):
    assert small.n_sessions == 3_000
    assert small.n_users == 30
    assert small.n_objects == 120
    assert small.n_impressions == 3_000 * 20
    assert small.index.dimensions == 16
    assert small.personalize_by == "user_id"
    parts = np.diff(small.object_offsets)
    assert (parts.min(), parts.max()) == (1, 4)


@given(
    n_sessions=st.integers(1, 40),
    n_users=st.integers(1, 9),
    n_topics=st.integers(1, 4),
    n_shown=st.integers(2, 6),
    max_parts=st.integers(1, 3),
    dimensions=st.integers(2, 7),
    seed=st.integers(0, 2**32),
)
@settings(max_examples=30, deadline=None)
def test_every_size_gives_a_sound_log(tmp_path_factory, seed, **sizes):
    n_topics, n_shown = sizes["n_topics"], sizes["n_shown"]
    config = SimulatedConfig(
        n_objects=n_topics * n_shown + 1, n_queries=n_topics, click_noise=1.0, **sizes
    )
    path = tmp_path_factory.mktemp("any") / "set"
    prepare_simulated(path, config, seed)
    log = load_click_log(path)
    assert log.n_impressions == sizes["n_sessions"] * n_shown
    assert np.diff(log.object_offsets).max() <= sizes["max_parts"]


def test_the_same_seed_gives_the_same_log_and_another_another(tmp_path):
    marks = []
    for number, seed in enumerate((5, 5, 6)):
        prepare_simulated(tmp_path / str(number), replace(SMALL, n_sessions=50), seed)
        marks.append(load_click_log(tmp_path / str(number)).fingerprint)
    assert marks[0] == marks[1] != marks[2]


def test_users_come_back_to_objects_they_have_seen(small):
    session = np.repeat(np.arange(small.n_sessions), np.diff(small.impression_offsets))
    pairs = small.session_user[session].astype(np.int64) * small.n_objects + small.impression_object
    assert len(pairs) / len(np.unique(pairs)) > 5


def test_queries_are_repeated_and_new(small):
    asked = small.session_user.astype(np.int64) * len(small.query_ids) + small.session_query
    _, times = np.unique(asked, return_counts=True)
    assert times.max() > 10
    assert (times == 1).any()


def test_clicks_follow_relevance_and_position():
    rng = np.random.default_rng(0)
    config = replace(SMALL, n_sessions=20_000)
    shop = build_shop(config, rng)
    results = draw_results(shop, draw_searches(shop, config, rng), config, rng)
    looks, clicks = examination(config), attraction(config)
    for grade in range(4):
        for position in (0, 3, 12):
            chosen = results.relevance[:, position] == grade
            rate, expected = (
                results.clicked[chosen, position].mean(),
                looks[position] * clicks[grade],
            )
            spread = np.sqrt(expected * (1 - expected) / chosen.sum())
            assert abs(rate - expected) <= 4 * spread + 1e-6


def test_without_signal_clicks_follow_position_alone():
    rng = np.random.default_rng(0)
    config = replace(SMALL, n_sessions=20_000, null=True)
    shop = build_shop(config, rng)
    results = draw_results(shop, draw_searches(shop, config, rng), config, rng)
    rates = [results.clicked[results.relevance == grade].mean() for grade in range(4)]
    assert np.ptp(attraction(config)) == 0
    first, last = results.clicked[:, 0].mean(), results.clicked[:, -1].mean()
    assert first > 3 * last
    # The best objects stand higher, so only the chance at one position must not depend on them.
    for position in (0, 10):
        good = results.relevance[:, position] >= 2
        clicked = results.clicked[:, position]
        assert abs(clicked[good].mean() - clicked[~good].mean()) < 0.02
    assert max(rates) < 2 * min(rates)


def test_propensity_is_the_true_chance_of_a_look(small):
    expected = examination(SMALL)[small.impression_position]
    np.testing.assert_allclose(small.impression_propensity, expected, rtol=1e-6)


def test_tastes_differ_from_the_crowds():
    shop = build_shop(SMALL, np.random.default_rng(0))
    alike = shop.user_taste @ shop.user_taste.T
    same = shop.user_segment[:, None] == shop.user_segment[None, :]
    off = ~np.eye(len(alike), dtype=bool)
    assert alike[same & off].mean() > alike[~same].mean() + 0.1
    assert alike[off].mean() < 0.3


def test_grades_rise_with_liking():
    assert relevance_of(np.array([-1, 0.6, 1.3, 1.9], np.float32)).tolist() == [0, 1, 2, 3]


def test_clicks_arrive_after_the_search_and_some_late():
    config = replace(SMALL, late_share=0.25)
    start = np.full(8_000, 1_000_000)
    times = click_times(start, np.zeros(8_000, np.int64), config, np.random.default_rng(0))
    assert (times > start).all()
    assert abs((times - start >= 3_600).mean() - 0.25) < 0.02


@pytest.mark.parametrize(
    ("sizes", "message"),
    [
        ({"n_sessions": 0}, "simulated.n_sessions must be >= 1, got 0."),
        ({"n_shown": 1}, "simulated.n_shown must be in [2, 10000], got 1."),
        ({"n_objects": 10}, "simulated.n_objects must be >= n_topics * n_shown (600), got 10."),
        ({"click_noise": 1.5}, "simulated.click_noise must be in [0, 1], got 1.5."),
        ({"examination_decay": -1}, "simulated.examination_decay must be in [0, 10], got -1."),
    ],
)
def test_sizes_out_of_range_are_named(sizes, message):
    with pytest.raises(ValueError, match=re.escape(message)):
        SimulatedConfig(**sizes)


def test_ids_sort_as_their_numbers():
    tables = simulate(replace(SMALL, n_sessions=12))
    ids = tables["sessions"]["session_id"].to_pylist()
    assert ids == sorted(ids)
    assert ids[0] == "s00"


def run(monkeypatch, *arguments: str) -> int:
    monkeypatch.setattr("sys.argv", ["simulate", *arguments])
    return main()


SIZES = [
    f"simulated.{name}={getattr(SMALL, name)}"
    for name in ("n_users", "n_objects", "n_topics", "n_queries", "dimensions")
]


def test_the_command_writes_a_data_set(tmp_path, monkeypatch, capsys):
    output = tmp_path / "shop"
    assert run(monkeypatch, f"output={output}", "simulated.n_sessions=70", "seed=3", *SIZES) == 0
    assert "70 sessions of" in capsys.readouterr().out
    assert load_click_log(output).n_sessions == 70


def test_the_command_does_not_replace_a_data_set_unasked(tmp_path, monkeypatch, capsys):
    arguments = [f"output={tmp_path / 'shop'}", "simulated.n_sessions=70", *SIZES]
    assert run(monkeypatch, *arguments) == 0
    assert run(monkeypatch, *arguments) == 2
    assert "say overwrite=true to replace it" in capsys.readouterr().err
    assert run(monkeypatch, *arguments, "overwrite=true") == 0


def test_the_command_never_replaces_a_folder_of_something_else(tmp_path, monkeypatch, capsys):
    (tmp_path / "thesis.txt").write_text("years of work")
    assert run(monkeypatch, f"output={tmp_path}", "overwrite=true", *SIZES) == 2
    assert "holds something else" in capsys.readouterr().err
    assert (tmp_path / "thesis.txt").exists()


def test_a_folder_of_something_else_is_never_replaced(tmp_path):
    (tmp_path / "notes").write_text("")
    with pytest.raises(InputError, match="must be a new or empty folder, or a data set"):
        prepare_simulated(tmp_path, SMALL, overwrite=True)
