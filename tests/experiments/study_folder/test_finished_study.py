"""Reading back what a study left on disk."""

import pytest

from experiments.common.errors import InputError
from experiments.study_folder.finalist_files import read_sessions
from experiments.study_folder.finished_study import read_study
from tests.experiments.finished_folder import write_finished_study


def test_a_study_reads_back_as_it_was_written(tmp_path):
    write_finished_study(tmp_path)
    study = read_study(tmp_path, "planted")
    assert study.name == "planted"
    assert study.metric == "ndcg_at_10"
    assert study.best == 40
    assert study.guardrails.max_mean_drift == 0.2
    assert study.parameters == ["adjustment_rate", "num_iterations", "softmin_temperature"]
    assert study.log_scaled == ["adjustment_rate", "softmin_temperature"]
    assert [item.trial for item in study.finalists] == [40, 41, 42, 43, 44]
    assert study.test.trial == 40
    assert len(study.sessions("tune")) == len(study.sessions("test")) == 600


def test_a_sealed_test_has_no_sessions(tmp_path):
    write_finished_study(tmp_path, with_test=False)
    study = read_study(tmp_path, "planted")
    assert study.test is None
    assert study.sessions("test") is None


def test_sessions_of_later_finalists_replace_those_of_earlier_ones(tmp_path):
    folder = write_finished_study(tmp_path)
    assert read_sessions(folder, "tune", 44) is not None
    assert read_sessions(folder, "tune", 45) is None
    assert not [path for path in (folder / "evidence").iterdir() if path.name.startswith(".")]


def test_a_missing_study_says_what_to_run(tmp_path):
    with pytest.raises(InputError, match="has no config") as caught:
        read_study(tmp_path, "nope")
    assert "python -m experiments.sweep study.name=nope" in str(caught.value)


@pytest.mark.parametrize("name", ["config.yaml", "summary.json", "trials.csv"])
def test_a_damaged_file_is_named_in_one_sentence(tmp_path, name):
    folder = write_finished_study(tmp_path)
    (folder / name).write_bytes(b"\xff\xfe\x00")
    with pytest.raises(InputError, match=name) as caught:
        read_study(tmp_path, "planted")
    assert "\n" not in str(caught.value)


def test_an_empty_table_of_trials_is_named(tmp_path):
    folder = write_finished_study(tmp_path)
    (folder / "trials.csv").write_text("")
    with pytest.raises(InputError, match=r"trials\.csv cannot be read"):
        read_study(tmp_path, "planted")
