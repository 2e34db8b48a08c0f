"""The figures of the part ``study``, from a finished sweep's files."""

import json

import pytest

from experiments.benchmarks import studies
from experiments.benchmarks.studies import Sweep


def test_a_finished_sweep_is_read_from_its_files(tmp_path):
    (tmp_path / "summary.json").write_text(
        json.dumps(
            {
                "objective": "ndcg_at_10",
                "seconds": {"overhead_per_trial_median": 0.02},
                "best": {"metrics": {"ndcg_at_10": 0.75}},
            }
        )
    )
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
