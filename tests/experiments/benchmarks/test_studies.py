"""The figures of the part ``study``, from a finished sweep's files."""

import pytest

from experiments.benchmarks import studies
from experiments.benchmarks.studies import Sweep
from experiments.study_folder.summary import ScoredRow, write_summary
from tests.experiments.planted_records import summary


def test_a_finished_sweep_is_read_from_its_files(tmp_path):
    best = ScoredRow({}, {"ndcg_at_10": 0.75})
    write_summary(tmp_path / "summary.json", summary(best=best))
    (tmp_path / "trials.csv").write_text(
        "number,state,reason\n"
        "0,complete,\n"
        "1,pruned,pruned after block 4 of 20\n"
        "2,failed,ValueError: no\n"
    )
    sweep = studies.read_sweep(tmp_path, 12.0)
    assert sweep == Sweep(12.0, pytest.approx(20.0), pytest.approx(0.625), 0.75)


def test_the_loss_of_pruning_is_the_difference_of_the_best():
    sweeps = {"wilcoxon": Sweep(60, 20, 0.4, 0.784), "none": Sweep(100, 20, 1.0, 0.785)}
    figures = studies.measured(sweeps).figures
    assert figures["study.movielens.pruner_wilcoxon.session_evaluations_saved"] == 0.6
    assert figures["study.movielens.pruner_wilcoxon.loss_of_best"] == pytest.approx(0.001)


def test_the_cost_of_weighing_is_in_times_of_the_same_sweep_by_clicks_as_they_are():
    sweeps = {"naive": Sweep(80, 20, 1.0, 0.7), "estimated": Sweep(92, 20, 1.0, 0.4)}
    found = studies.debiased(sweeps)
    assert found.figures["study.debiased_ratio"] == pytest.approx(1.15)
    assert found.figures["study.simulated.estimated.seconds"] == 92
    assert found.table.splitlines()[-1].split() == ["estimated", "92", "1.15"]
