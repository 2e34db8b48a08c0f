"""Whole numbers that pandas made floats of, because of gaps, in every table and format."""

import json

import numpy as np
import pandas as pd
import pytest

from experiments.common.errors import InputError
from tests.experiments.data.importers.logical_log import ingest

COLUMNS = {
    "items": ["object_id", "vector"],
    "queries": ["query_id", "vector"],
    "sessions": ["session_id", "user_id", "query_id", "created_at", "is_irrelevant"],
    "impressions": ["session_id", "position", "object_id"],
    "events": ["event_id", "session_id", "object_id", "created_at"],
}


def tables(as_type):
    """A log whose ids are numbers; `as_type` makes each table's columns what they may become."""
    shown = {1: [12, 10, 11], 2: [11, 12], 3: [10, 12]}
    made = {
        "items": pd.DataFrame({"object_id": [10, 11, 12], "vector": [[1.0, 0], [0, 1.0], [1, 1]]}),
        "queries": pd.DataFrame({"query_id": [5], "vector": [[1.0, 1.0]]}),
        "sessions": pd.DataFrame(
            {
                "session_id": [1, 2, 3],
                "user_id": [7, None, 8],
                "query_id": [5, 5, 5],
                "created_at": [1_700_000_000, 1_700_000_100, 1_700_000_200],
                "is_irrelevant": [0, 1, 0],
            }
        ),
        "impressions": pd.DataFrame(
            [(s, n, item) for s, items in shown.items() for n, item in enumerate(items)],
            columns=COLUMNS["impressions"],
        ),
        "events": pd.DataFrame(
            {
                "event_id": [100, 101],
                "session_id": [1, 3],
                "object_id": [11, 12],
                "created_at": [1_700_000_009, 1_700_000_209],
            }
        ),
    }
    return {name: as_type(name, table) for name, table in made.items()}


def floats(table_name, table):
    numbers = [c for c in table.columns if c != "vector"]
    return table.astype(dict.fromkeys(numbers, "float64"))


def floats_here(chosen):
    return lambda name, table: floats(name, table) if name == chosen else table


def write(folder, frames, suffix, sep=","):
    mapping = {}
    for name, frame in frames.items():
        path = folder / f"{name}{suffix}"
        if suffix == ".parquet":
            frame.to_parquet(path)
        elif suffix == ".jsonl":
            frame.to_json(path, orient="records", lines=True)
        else:
            texts = frame.assign(**{c: frame[c].map(json.dumps) for c in frame if c == "vector"})
            texts.to_csv(path, index=False, sep=sep)
        mapping[name] = {"file": path.name, "columns": {c: c for c in COLUMNS[name]}}
    (folder / "mapping.yaml").write_text(json.dumps(mapping))


def read(folder):
    return ingest("table", folder, mapping=str(folder / "mapping.yaml"))


def facts(log):
    return {
        "sessions": log.session_ids.tolist(),
        "users": log.user_ids.tolist(),
        "user": log.session_user.tolist(),
        "shown": log.object_ids[log.impression_object].tolist(),
        "clicked": log.object_ids[log.impression_object[log.event_impression]].tolist(),
        "irrelevant": log.session_is_irrelevant.tolist(),
    }


EXPECTED = {
    "sessions": ["1", "2", "3"],
    "users": ["7", "8"],
    "user": [0, -1, 1],
    "shown": ["12", "10", "11", "11", "12", "10", "12"],
    "clicked": ["11", "12"],
    "irrelevant": [False, True, False],
}


@pytest.mark.parametrize("suffix", [".csv", ".tsv", ".parquet", ".jsonl"])
@pytest.mark.parametrize("chosen", [*COLUMNS, "all", "none"])
def test_floats_are_the_whole_numbers_they_were(tmp_path, suffix, chosen):
    folder = tmp_path / "log"
    folder.mkdir()
    as_type = floats if chosen == "all" else floats_here(chosen)
    write(folder, tables(as_type), suffix, sep="\t" if suffix == ".tsv" else ",")
    assert facts(read(folder)) == EXPECTED


@pytest.mark.parametrize(
    ("column", "value"), [("object_id", 10.5), ("object_id", 2.0**60), ("session_id", np.inf)]
)
def test_a_float_that_is_no_whole_number_is_refused(tmp_path, column, value):
    folder = tmp_path / "log"
    folder.mkdir()
    frames = tables(lambda name, table: table)
    frames["impressions"] = frames["impressions"].astype({column: "float64"})
    frames["impressions"].loc[0, column] = value
    write(folder, frames, ".parquet")
    with pytest.raises(InputError, match=f"column {column} must be a string or a whole number"):
        read(folder)


@pytest.mark.parametrize("column", ["object_id", "session_id"])
def test_a_gap_where_an_id_must_stand_is_a_fault(tmp_path, column):
    folder = tmp_path / "log"
    folder.mkdir()
    frames = tables(lambda name, table: table)
    frames["impressions"] = frames["impressions"].astype({column: "float64"})
    frames["impressions"].loc[0, column] = np.nan
    write(folder, frames, ".parquet")
    with pytest.raises(InputError, match=f"column {column} must not be empty"):
        read(folder)


def test_texts_that_look_like_floats_keep_their_form_in_json(tmp_path):
    folder = tmp_path / "log"
    folder.mkdir()
    frames = tables(lambda name, table: table)
    versions = {10: "1.0", 11: "1.1", 12: "2.0"}
    for name in ("items", "impressions", "events"):
        frames[name]["object_id"] = frames[name]["object_id"].map(versions)
    write(folder, frames, ".jsonl")
    assert read(folder).object_ids.tolist() == ["1.0", "1.1", "2.0"]
