"""The data set in MLflow has a schema and a profile."""

import json

from experiments.data.columns import columns
from experiments.tracking.logged_data import logged_data
from tests.experiments.planted_records import DATASET


def test_every_column_of_the_format_is_in_the_schema_and_sessions_are_counted():
    shown = logged_data(DATASET, {"dataset": {"path": "here"}})
    told = json.loads(shown.dataset.schema)["mlflow_colspec"]
    assert [item["name"] for item in told] == list(columns())
    kinds = {item["name"]: item["type"] for item in told}
    assert kinds["sessions.created_at"] == "long"
    assert kinds["items.vector"] == "array"
    profile = json.loads(shown.dataset.profile)
    assert profile["num_rows"] == profile["n_sessions"] == DATASET.n_sessions
    assert profile["n_users"] == DATASET.n_users
    assert json.loads(shown.dataset.source) == {"uri": "here"}
    assert shown.dataset.digest == DATASET.fingerprint[:36]
    assert [(tag.key, tag.value) for tag in shown.tags] == [("mlflow.data.context", "tune")]


def test_a_prepared_data_set_lies_in_the_folder_of_its_name():
    shown = logged_data(DATASET, {})
    assert json.loads(shown.dataset.source) == {"uri": f"data/{DATASET.name}"}
