"""Part `search`: its figures by hand, and a small shop searched from end to end."""

import math

import pytest

from experiments.benchmarks import searches
from experiments.benchmarks.searches import (
    MOVIELENS,
    RANDOM,
    SEARCH,
    Found,
    Job,
    measure,
    measured,
    run,
)
from experiments.common.errors import InputError
from experiments.config.data import SimulatedConfig

SHOP = next(iter(searches.SHOPS))


def found(log, search, *values):
    return [Found(Job(log, (), seed, search, 1), value) for seed, value in enumerate(values)]


def test_the_worst_of_a_shop_is_held_against_the_best_random_settings():
    one = measured([*found(SHOP, RANDOM, 0.8), *found(SHOP, SEARCH, 0.81, 0.79, 0.80)])
    assert one.figures == {
        f"search.{SHOP}.studies": 3,
        f"search.{SHOP}.median": 0.80,
        f"search.{SHOP}.worst": 0.79,
        f"search.{SHOP}.random_best": 0.8,
        f"search.{SHOP}.worst_behind_random": pytest.approx(0.01),
    }
    assert one.table.splitlines()[1].split()[-5:] == ["3", "0.8000", "0.7900", "0.8000", "+0.0100"]


def test_movielens_has_the_sealed_test_in_place_of_random_settings():
    one = measured(found(MOVIELENS, SEARCH, 0.83, 0.82))
    assert one.figures[f"search.{MOVIELENS}.worst"] == 0.82
    assert f"search.{MOVIELENS}.random_best" not in one.figures


def test_a_study_without_a_finalist_is_the_worst_there_is():
    one = measured(found(MOVIELENS, SEARCH, 0.83, math.nan, 0.82))
    assert one.figures[f"search.{MOVIELENS}.worst"] == -math.inf
    assert one.figures[f"search.{MOVIELENS}.median"] == 0.82


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"n_seeds": 0}, "--seeds must be >= 1, got 0."),
        ({"n_random": -1}, "--random must be >= 0, got -1."),
        ({"search": ["sampler=random"]}, "--with must be another sampler than random"),
        ({"words": ["bookshop"]}, "--kind must be part of one of .*; got bookshop"),
    ],
)
def test_nothing_to_measure_is_told(options, said):
    with pytest.raises(InputError, match=said):
        measure(**options)


class ToldError(Exception):
    """Ends a run once it is known what it was told."""


def test_a_study_searches_as_it_was_told_and_knows_no_good_setting(monkeypatch):
    def tell(command, overrides):
        raise ToldError(command, *overrides)

    monkeypatch.setattr(searches, "run_quietly", tell)
    with pytest.raises(ToldError) as told:
        run(Job(SHOP, ("dataset=folder",), 3, ("sampler=tpe", "pruner=none"), 7))
    expected = ["sampler=tpe", "pruner=none", "search_space=full", "study.enqueue=none"]
    expected += ["study.seed=3", "study.n_trials=7", "dataset=folder"]
    assert set(told.value.args) >= {"sweep", *expected}


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ([], SEARCH),
        (["pruner=none"], (*SEARCH, "pruner=none")),
        (["pruner=none", "sampler=tpe"], ("pruner=none", "sampler=tpe")),
    ],
)
def test_a_forest_searches_unless_another_sampler_is_named(monkeypatch, given, expected):
    def told(work, jobs):
        assert {job.search for (job,) in jobs} == {expected}
        return iter(found(SHOP, expected, 0.5))

    monkeypatch.setattr(searches, "one_a_core", told)
    monkeypatch.setattr(searches, "prepare_simulated", lambda *what: None)
    assert measure(n_seeds=2, n_random=0, words=["everyone"], search=given).figures


@pytest.mark.slow
def test_a_small_shop_is_searched_and_held_against_random_settings(monkeypatch):
    small = SimulatedConfig(
        n_sessions=600, n_users=40, n_objects=120, n_topics=6, n_queries=24, dimensions=8
    )
    monkeypatch.setattr(searches, "SHOPS", {"a shop": small})
    monkeypatch.setattr(searches, "N_TRIALS", 8)
    one = measure(n_seeds=2, n_random=6, words=["shop"], search=["sampler=tpe", "pruner=none"])
    assert one.figures["search.a shop.studies"] == 2
    assert 0 < one.figures["search.a shop.worst"] <= one.figures["search.a shop.median"] < 1
    assert 0 < one.figures["search.a shop.random_best"] < 1
