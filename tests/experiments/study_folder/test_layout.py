"""The files of a sweep: columns, bytes, wholeness."""

import csv
import json
import re
from pathlib import Path

import pytest

from experiments.study_folder.layout import Outputs, finite, trials_table, write_atomic, write_json
from tests.experiments.fake_replay import FakeReplay, make_config, run_study


def rows(records):
    return list(csv.DictReader(trials_table(records).splitlines()))


def test_the_columns_are_as_promised(tmp_path):
    columns = list(rows(run_study(make_config(tmp_path)))[0])
    assert columns[:4] == ["number", "state", "reason", "value"]
    assert columns[4:6] == ["param_adjustment_rate", "param_num_iterations"]
    assert "ndcg_at_10" in columns
    assert "before_ndcg_at_10" in columns
    assert columns[-1] == "seconds"


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


def test_a_write_that_fails_leaves_the_old_file_and_nothing_else(tmp_path):
    path = tmp_path / "file"
    write_atomic(path, "old")
    with pytest.raises(UnicodeEncodeError):
        write_atomic(path, "new \ud800")
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]


def test_json_has_null_for_what_is_not_a_number(tmp_path):
    write_json(tmp_path / "a.json", {"a": [float("nan"), 1.5], "b": float("inf")})
    assert json.loads((tmp_path / "a.json").read_text()) == {"a": [None, 1.5], "b": None}
    assert finite((1, "x")) == [1, "x"]


def test_the_tracking_store_is_named_absolutely(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    uri = Outputs(Path("out"), "s").tracking_uri
    assert uri == f"sqlite:///{tmp_path}/out/mlflow.db"
