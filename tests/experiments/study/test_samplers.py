"""The samplers and designs: what they propose lies in the space and depends on the seed alone."""

import tracemalloc
from itertools import islice

import pytest

from adjuster.config import AdjusterConfig
from adjuster.selection import SelectionConfig
from experiments.common.errors import InputError
from experiments.config.study import ParameterConfig, SamplerConfig, SearchSpaceConfig
from experiments.replay.settings import Settings
from experiments.study.samplers import check_sampler, iter_design
from experiments.study.search_space import SearchSpace
from experiments.workflow.studies import base_settings
from tests.experiments.config.test_configs import composed
from tests.experiments.fake_replay import make_config, run_study

SPACE = SearchSpace.from_config(
    SearchSpaceConfig(
        {
            "adjustment_rate": ParameterConfig("float", low=1e-4, high=1, log=True),
            "num_iterations": ParameterConfig("int", low=1, high=4),
        }
    ),
    Settings(AdjusterConfig(), SelectionConfig()),
)


def design(name: str, n: int, seed: int = 0, **options: int):
    return list(islice(iter_design(SamplerConfig(name=name, **options), SPACE, seed), n))


def test_a_grid_is_all_of_it_in_a_seeded_order():
    points = design("grid", 100, grid_points=3)
    assert len(points) == 3 * 3
    assert sorted(map(str, points)) == sorted(map(str, SPACE.iter_grid(3)))
    assert points != design("grid", 100, seed=1, grid_points=3)


def test_the_sequence_covers_the_space_evenly():
    points = design("qmc", 16)
    rates = sorted(point["adjustment_rate"] for point in points)
    for quarter in range(4):
        low, high = 10 ** (-4 + quarter), 10 ** (-3 + quarter)
        assert sum(low <= rate < high for rate in rates) == 4
    counts = [point["num_iterations"] for point in points]
    assert min(counts) == 1
    assert max(counts) == 4


def test_the_sequence_goes_on_beyond_a_chunk_without_repeating():
    rates = [point["adjustment_rate"] for point in design("qmc", 600)]
    assert len(set(rates)) == 600


@pytest.mark.parametrize(
    ("name", "n_trials"), [("tpe", 18), ("forest", 18), ("gp", 9), ("cmaes", 18)]
)
def test_every_sampler_climbs_a_hill(tmp_path, name, n_trials):
    config = make_config(tmp_path, n_trials=n_trials)
    config.sampler.name = name
    values = [record.value for record in run_study(config)]
    assert max(values) > max(values[:3])
    assert max(values) > 0.77


def test_a_missing_package_is_named(monkeypatch):
    monkeypatch.setattr("experiments.study.samplers.find_spec", lambda name: None)
    with pytest.raises(InputError, match="needs the package cmaes"):
        check_sampler(SamplerConfig(name="cmaes"))
    check_sampler(SamplerConfig(name="tpe"))


@pytest.mark.parametrize("grid_points", [5, 50, pytest.param(200, marks=pytest.mark.slow)])
def test_the_grid_of_all_settings_is_never_laid_out(grid_points):
    config = composed("search_space=full")
    space = SearchSpace.from_config(config.search_space, base_settings(config))
    tracemalloc.start()
    points = list(
        islice(iter_design(SamplerConfig(name="grid", grid_points=grid_points), space, 0), 3)
    )
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert len({str(point) for point in points}) == 3
    assert most < 200e6


def test_a_grid_too_large_to_finish_is_drawn_as_needed(monkeypatch):
    """Five values of each of the full space's settings are some 10^13 points."""
    monkeypatch.setattr("experiments.study.samplers.LAID_OUT", 8)
    points = design("grid", 60, grid_points=4)
    allowed = list(SPACE.iter_grid(4))
    assert len(allowed) == 16 > 8
    assert all(point in allowed for point in points)
    assert len({str(point) for point in points}) > 12
    assert points == design("grid", 60, grid_points=4)
    assert points != design("grid", 60, seed=1, grid_points=4)
