"""How to go on: what each answer leads to."""

from dataclasses import replace

import pytest

from experiments.review.next_steps import next_steps
from experiments.study_folder.finished_study import read_study
from tests.experiments.finished_folder import write_finished_study


def commands(study):
    return [step.command for step in next_steps(study)]


def test_a_sealed_test_is_opened_next(tmp_path):
    write_finished_study(tmp_path, "shop", with_test=False)
    study = read_study(tmp_path, "shop")
    assert commands(study)[0] == study.opening


def test_an_adopted_setting_is_replayed_and_a_refused_one_searched_wider(tmp_path):
    write_finished_study(tmp_path, "yes")
    write_finished_study(tmp_path, "no", test_factor=0.0)
    assert commands(read_study(tmp_path, "yes"))[0] == (
        f"python -m experiments.evaluate config={tmp_path / 'yes' / 'best.yaml'}"
    )
    wider, forced, shown, again = commands(read_study(tmp_path, "no"))
    assert wider.endswith("search_space=full")
    assert "study.name=no-full" in wider
    assert forced.endswith("force=true")
    assert shown == f"python -m experiments.ui output_dir={tmp_path}"
    assert again.startswith("python -m experiments.report study=no")


@pytest.mark.parametrize("tracking", [{"name": "none"}, {"uri": "http://mlflow:5000"}])
def test_the_ui_is_no_step_where_it_has_no_runs_to_show(tmp_path, tracking):
    write_finished_study(tmp_path, "shop")
    study = read_study(tmp_path, "shop")
    config = replace(study.config, tracking=replace(study.config.tracking, **tracking))
    found = commands(replace(study, config=config))
    assert not [command for command in found if "experiments.ui" in command]
