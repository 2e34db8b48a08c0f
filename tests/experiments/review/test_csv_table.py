"""The table for spreadsheets: numbers as they are, each comparison with its interval."""

from io import StringIO

import pandas as pd

from experiments.review.csv_table import COLUMNS, csv_table
from experiments.study_folder.finished_study import read_study
from tests.experiments.finished_folder import write_finished_study


def test_every_configuration_and_every_comparison_is_a_row(tmp_path):
    write_finished_study(tmp_path)
    study = read_study(tmp_path, "planted")
    table = pd.read_csv(StringIO(csv_table(study)))
    assert tuple(table.columns) == COLUMNS
    popular = table[table["configuration"] == "popularity"]
    assert popular["value"].tolist() == [0.765]
    opened = table[(table["sessions"] == "sealed test")].set_index("compared_with")
    gain = study.test.test
    assert opened.loc["no adjustment", ["gain", "low", "high"]].tolist() == [
        gain.gain,
        gain.low,
        gain.high,
    ]
    assert set(opened.index) >= {"no adjustment", "popularity"}
    assert opened["confidence"].unique().tolist() == [gain.confidence]


def test_what_is_not_known_is_empty(tmp_path):
    write_finished_study(tmp_path, with_test=False)
    text = csv_table(read_study(tmp_path, "planted"))
    assert "nan" not in text
    assert "sealed test" not in text
