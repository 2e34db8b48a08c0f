"""Reading back what a study left on disk."""

import pandas as pd
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


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ("number,state,reason,seconds", "it has no column value"),
        ("state,reason,value,seconds", "it has no column number"),
        (
            "number,state,reason,value,seconds\n0,complete,,.5,1\n1,complete,,much,1",
            "line 3: value",
        ),
        ("number,state,reason,value,seconds\none,complete,,.5,1", "line 2: number"),
        ("number,state,reason,value,seconds\n0,complete\n0,complete,,.5,1,6,7,8", "line 3"),
    ],
)
def test_a_damaged_table_of_trials_is_told_with_its_line(tmp_path, line, told):
    folder = write_finished_study(tmp_path)
    (folder / "trials.csv").write_text(line)
    with pytest.raises(InputError, match=told) as caught:
        read_study(tmp_path, "planted")
    assert "no trial is lost" in str(caught.value)


@pytest.mark.parametrize(
    "content", ["study: [", "study: {name: x}\n\tdataset: 1", "stdy: {}", "- 1", "study: 7"]
)
def test_a_damaged_configuration_says_that_a_sweep_writes_it_again(tmp_path, content):
    folder = write_finished_study(tmp_path)
    (folder / "config.yaml").write_text(content)
    with pytest.raises(InputError, match="The same sweep command writes the file again"):
        read_study(tmp_path, "planted")


@pytest.mark.parametrize("content", [b"", b"PAR1", b"no table", b"\x00" * 2000])
def test_a_damaged_session_table_is_told_in_a_sentence(tmp_path, content):
    folder = write_finished_study(tmp_path)
    (folder / "evidence" / "tune-40.parquet").write_bytes(content)
    (folder / "evidence" / "test-40.parquet").write_bytes(content)
    study = read_study(tmp_path, "planted")
    with pytest.raises(InputError, match=r"tune-40\.parquet cannot be read.*sweep command"):
        study.sessions("tune")
    with pytest.raises(InputError, match=r"test-40\.parquet cannot be read.*export command"):
        study.sessions("test")


def test_a_session_table_of_another_making_is_told(tmp_path):
    folder = write_finished_study(tmp_path)
    path = folder / "evidence" / "tune-40.parquet"
    table = pd.read_parquet(path)
    table.drop(columns="owner").to_parquet(path)
    with pytest.raises(InputError, match="it has no column owner"):
        read_study(tmp_path, "planted").sessions("tune")
