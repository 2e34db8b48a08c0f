"""The figures of the part ``replay``, on small measurements."""

import pytest

from adjuster import PublishedAdjuster
from experiments.benchmarks import replays
from experiments.benchmarks.replays import Cost, plugin_inputs
from experiments.config.data import SimulatedConfig
from experiments.config.replay import ObjectiveConfig, ReplayConfig
from experiments.data.format.folder import load_click_log
from experiments.data.made.simulated import prepare_simulated
from experiments.replay.layout import lay_out

SMALL = SimulatedConfig(
    n_sessions=300, n_users=30, n_objects=100, n_topics=5, n_queries=20, dimensions=16
)


@pytest.fixture(scope="module")
def shop(tmp_path_factory):
    folder = tmp_path_factory.mktemp("bench") / "shop"
    prepare_simulated(folder, SMALL)
    return folder


def test_a_folder_is_measured_in_time_and_memory(shop, tmp_path):
    cost = replays.cost_of_folder(shop)
    assert cost.n_sessions == 210
    assert cost.seconds > 0
    assert cost.published_per_second > 0


def test_figures_are_ratios_of_one_run():
    costs = {
        "simulated_500k": Cost(10.0, 1000, 2**30, 50.0),
        "simulated_1m": Cost(21.0, 2100, 2**31, 50.0),
    }
    figures = replays.measured(costs).figures
    assert figures["replay.simulated_500k.sessions_per_second"] == 100
    assert figures["replay.simulated_500k.ratio_to_published"] == 2
    assert figures["replay.simulated_1m.peak_gib"] == 2
    assert figures["replay.simulated.doubling"] == pytest.approx(2.1)


def test_sessions_come_as_the_plugin_takes_them(shop):
    layout = lay_out(load_click_log(shop), ReplayConfig(), ObjectiveConfig())
    inputs = plugin_inputs(layout, 5)
    assert len(inputs) == 5
    for item in inputs:
        assert item.clicked_elements
        assert len(item.clicked_elements) + len(item.non_clicked_elements) == SMALL.n_shown
    adjuster = PublishedAdjuster(layout.log.index, num_iterations=1)
    adjuster.adjust_vectors(inputs)
    assert adjuster.skipped == {}
