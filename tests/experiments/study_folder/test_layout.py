"""The files of a sweep: columns, bytes, wholeness."""

import csv
import re
from pathlib import Path

from experiments.study_folder.layout import StudyFolder, trials_table
from tests.experiments.fake_replay import FakeReplay, make_config, run_study


def rows(records):
    return list(csv.DictReader(trials_table(records).splitlines()))


def test_the_columns_are_as_promised(tmp_path):
    columns = list(rows(run_study(make_config(tmp_path)))[0])
    assert columns[:4] == ["number", "state", "reason", "value"]
    assert columns[4:6] == ["param_adjustment_rate", "param_num_iterations"]
    assert "ndcg_at_10" in columns
    assert "before_ndcg_at_10" in columns
    assert columns[-3:] == ["gain_low", "gain_high", "seconds"]


def test_figures_lose_no_digit(tmp_path):
    records = run_study(make_config(tmp_path))
    for row, record in zip(rows(records), records, strict=True):
        assert float(row["value"]) == record.value
        assert float(row["param_adjustment_rate"]) == record.values["adjustment_rate"]


def test_a_failed_trial_has_a_row_with_reason_and_parameters(tmp_path):
    def broken(number, settings):
        raise ValueError("two\nlines, and a comma")

    row = rows(run_study(make_config(tmp_path), FakeReplay(broken)))[0]
    assert row["state"] == "failed"
    assert row["reason"] == "ValueError: two lines, and a comma"
    assert row["param_num_iterations"] == "10"
    assert row["value"] == ""


def test_two_runs_give_the_same_bytes_but_for_seconds(tmp_path):
    texts = [
        re.sub(r",[\d.]+$", "", trials_table(run_study(make_config(tmp_path / name))), flags=re.M)
        for name in ("a", "b")
    ]
    assert texts[0] == texts[1]


def test_the_tracking_store_is_named_absolutely(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    uri = StudyFolder(Path("out"), "s").tracking_uri
    assert uri == f"sqlite:///{tmp_path}/out/mlflow.db"
