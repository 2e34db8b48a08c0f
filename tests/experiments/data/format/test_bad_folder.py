"""Every fault that a data set can have, and what is said of it."""

from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from experiments.common.errors import InputError
from experiments.data.format.folder import load_click_log


def complaint(folder: Path) -> str:
    with pytest.raises(InputError) as raised:
        load_click_log(folder)
    return str(raised.value)


def vectors(*rows: list[float]) -> pa.Array:
    return pa.array(rows, pa.list_(pa.float32()))


CASES = {
    "wrong type of id": (
        ("items", {"object_id": [1, 1, 2, 3]}),
        "items.parquet: column object_id must be str, got int64",
    ),
    "wrong type of time": (
        ("sessions", {"created_at": [3.0, 1.0, 2.0]}),
        "sessions.parquet: column created_at must be int64 (UTC epoch seconds), got double",
    ),
    "wrong type of vector": (
        ("items", {"vector": ["x", "y", "z", "w"]}),
        "items.parquet: column vector must be fixed-size list<float32>, got string",
    ),
    "null id": (
        ("events", {"session_id": ["s1", None, "s1"]}),
        "events.parquet: column session_id must not be empty (1 row; rows count from 0):\n"
        "  row 1: got null",
    ),
    "empty id": (
        ("queries", {"query_id": ["q1", ""]}),
        "column query_id must not be an empty string (1 row; rows count from 0):\n  row 1: got ''",
    ),
    "id with a line break": (
        ("items", {"object_id": ["a", "a", "b", "c\nd"]}),
        "column object_id must not contain a line break or another control character "
        "(1 row; rows count from 0):\n  row 3: got 'c\\nd'",
    ),
    "id of 10,000 characters": (
        ("items", {"object_id": ["a", "a", "b", "c" * 10_000]}),
        "column object_id must have at most 1,000 characters (1 row; rows count from 0):\n"
        f"  row 3: got '{'c' * 59}… (10,000 characters)",
    ),
    "session twice": (
        ("sessions", {"session_id": ["s3", "s1", "s1"]}),
        "sessions.parquet: column session_id must stand once (1 row; rows count from 0):\n"
        "  row 2: got 's1'",
    ),
    "event twice": (
        ("events", {"event_id": ["e1", "e1", "e3"]}),
        "events.parquet: column event_id must stand once (1 row; rows count from 0):\n"
        "  row 1: got 'e1'",
    ),
    "event of an unknown session": (
        ("events", {"session_id": ["s1", "s9", "s1"]}),
        "events.parquet: column session_id must stand in sessions.parquet (1 row",
    ),
    "impression of an unknown session": (
        ("impressions", {"session_id": ["s1", "s1", "s1", "s2", "s3", "s9"]}),
        "impressions.parquet: column session_id must stand in sessions.parquet (1 row; rows count "
        "from 0):\n  row 5: got 's9'",
    ),
    "session of an unknown query": (
        ("sessions", {"query_id": ["q1", "q9", "q2"]}),
        "sessions.parquet: column query_id must stand in queries.parquet (1 row",
    ),
    "session that shows nothing": (
        (
            "impressions",
            {"session_id": ["s1", "s1", "s1", "s3", "s3", "s3"], "position": [0, 1, 2, 0, 1, 2]},
        ),
        "a session must show at least one object in impressions.parquet (1 row; rows count from "
        "0):\n  row 2: got 's2'",
    ),
    "object without a vector": (
        ("impressions", {"object_id": ["a", "b", "d", "b", "c", "a"]}),
        "impressions.parquet: column object_id must stand in items.parquet (1 row; rows count from "
        "0):\n  row 2: got 'd'",
    ),
    "click on a result never shown": (
        ("events", {"object_id": ["b", "b", "a"]}),
        "events.parquet: an event's object must have been shown in its session (1 row; rows count "
        "from 0):\n  row 1: got session 's3', object 'b'",
    ),
    "object twice in a session": (
        ("impressions", {"object_id": ["a", "b", "a", "b", "c", "a"]}),
        "an object must stand once in a session (1 row; rows count from 0):\n"
        "  row 2: got session 's1', object 'a' again",
    ),
    "negative position": (
        ("impressions", {"position": [0, 1, 2, -1, 0, 1]}),
        "column position must be >= 0 (0-based) (1 row; rows count from 0):\n  row 3: got -1",
    ),
    "gap in positions": (
        ("impressions", {"position": [0, 1, 3, 0, 0, 1]}),
        "column position must run 0, 1, 2 … in each session, without gaps or repeats (the first "
        "wrong row of each session) (1 row; rows count from 0):\n"
        "  row 2: got 3 instead of 2 (session 's1')",
    ),
    "time in milliseconds": (
        ("sessions", {"created_at": [300, 1_700_000_000_000, 200]}),
        "sessions.parquet: column created_at must be UTC epoch seconds, not milliseconds (divide "
        "by 1,000) (1 row; rows count from 0):\n  row 1: got 1700000000000",
    ),
    "time in the future": (
        ("events", {"created_at": [110, 99_000_000_000, 120]}),
        "events.parquet: column created_at must be UTC epoch seconds, not in the future (1 row; "
        "rows count from 0):\n  row 1: got 99000000000",
    ),
    "time before 1970": (
        ("sessions", {"created_at": [300, -1, 200]}),
        "column created_at must be UTC epoch seconds, >= 0 (1 row",
    ),
    "vector of another dimension": (
        ("items", {"vector": vectors([1, 0], [1, 0, 0], [1, 1], [2, 1])}),
        "items.parquet: column vector must have 2 numbers (1 row; rows count from 0):\n"
        "  row 1: got 3 numbers",
    ),
    "missing vector": (
        ("queries", {"vector": pa.array([[1, 0], None], pa.list_(pa.float32()))}),
        "queries.parquet: column vector must not be empty (1 row",
    ),
    "vector with NaN": (
        ("items", {"vector": vectors([1, 0], [np.nan, 0], [1, 1], [2, 1])}),
        "items.parquet: column vector must be finite (1 row; rows count from 0):\n"
        "  row 1: got NaN, null or infinity ('a')",
    ),
    "vector with infinity": (
        ("queries", {"vector": vectors([1, 0], [0, -np.inf])}),
        "queries.parquet: column vector must be finite (1 row",
    ),
    "zero vector under cosine": (
        ("items", {"vector": vectors([1, 0], [0, 0], [1, 1], [2, 1])}),
        "items.parquet: column vector must not be zero under cosine (1 row; rows count from 0):\n"
        "  row 1: got a zero vector ('a')",
    ),
    "two titles of one object": (
        ("items", {"title": ["A", "B", "B", None]}),
        "column title must be the same, or null, in every part of one object_id (1 row",
    ),
    "negative relevance": (
        ("impressions", {"relevance": [1.0, -1.0, 0, 0, 0, 0]}),
        "column relevance must be >= 0 and finite, or null (1 row; rows count from 0):\n"
        "  row 1: got -1.0",
    ),
    "propensity above 1": (
        ("impressions", {"propensity": [1.0, 1.5, 1, 1, 1, 1]}),
        "column propensity must be in (0, 1], or null (1 row; rows count from 0):\n"
        "  row 1: got 1.5",
    ),
    "propensity of 0": (
        ("impressions", {"propensity": [1.0, 0.0, 1, 1, 1, 1]}),
        "column propensity must be in (0, 1], or null (1 row",
    ),
}


@pytest.mark.parametrize("case", CASES)
def test_a_fault_says_file_row_column_rule_and_value(change, case):
    (table, columns), message = CASES[case]
    assert message in complaint(change(table, **columns))


@pytest.mark.parametrize("table", ["items", "queries", "sessions", "impressions", "events"])
def test_an_empty_file_is_a_fault(folder, tables, table, change):
    empty = {name: tables[table][name][:0] for name in tables[table].column_names}
    said = complaint(change(table, **empty))
    assert f"{table}.parquet: must have at least one row, got none" in said


def test_no_clicks_at_all_says_that_nothing_can_be_learnt(tables, change):
    empty = {name: tables["events"][name][:0] for name in tables["events"].column_names}
    assert "without clicks there is nothing to learn from" in complaint(change("events", **empty))


@pytest.mark.parametrize("file", ["items.parquet", "events.parquet", "dataset.yaml"])
def test_a_missing_file_is_named(folder, file):
    (folder / file).unlink()
    assert f"{file}: the file is missing" in complaint(folder)


def test_a_missing_column_is_named_with_those_there_are(change):
    said = complaint(change("sessions", drop=("created_at",)))
    assert "column created_at is missing; it must be int64 (UTC epoch seconds)" in said
    assert "The file has session_id, user_id, query_id" in said


@pytest.mark.parametrize("keep", [0, 3, 100, 600])
def test_a_truncated_parquet_file_is_a_fault(folder, keep):
    path = folder / "impressions.parquet"
    path.write_bytes(path.read_bytes()[:keep])
    assert "impressions.parquet: cannot be read as a whole Parquet file" in complaint(folder)


def test_a_parquet_file_with_damaged_pages_is_a_fault(folder):
    path = folder / "items.parquet"
    content = bytearray(path.read_bytes())
    content[4:200] = b"\xff" * 196
    path.write_bytes(bytes(content))
    assert "items.parquet: cannot be read as a whole Parquet file" in complaint(folder)


def test_all_faults_are_reported_at_once(change):
    change("events", session_id=["s9", "s3", "s1"])
    change("impressions", position=[0, 1, 3, 0, 0, 1])
    said = complaint(change("items", vector=vectors([0, 0], [np.nan, 0], [1, 1], [2])))
    for word in ("zero under cosine", "finite", "2 numbers", "gaps", "stand in sessions.parquet"):
        assert word in said


def test_only_five_examples_of_a_kind_are_shown(change):
    said = complaint(change("impressions", relevance=[-1.0] * 6))
    assert "(6 rows; rows count from 0)" in said
    assert said.count("got -1.0") == 5


YAML_CASES = {
    "builds an object": (
        "!!python/object/apply:os.system ['true']",
        "must be plain YAML (no tags that build objects)",
    ),
    "not a mapping": ("- a\n- b\n", "must be a mapping of names to values"),
    "broken": ("name: [", "must be plain YAML"),
    "not UTF-8": (b"name: \xff\xfe", "must be UTF-8 text, got byte 0xff"),
    "no name": ("dimensions: 2", "name must be a name of at most 200 bytes"),
    "dimensions of the wrong type": (
        "name: a\ndimensions: two",
        "dimensions must be an integer from 1 to 100,000, got 'two'",
    ),
    "unknown metric": (
        "name: a\ndimensions: 2\nmetric_type: l1",
        "metric_type must be one of cosine, dot, euclid, got 'l1'",
    ),
    "unknown scope": (
        "name: a\npersonalize_by: city",
        "personalize_by must be one of null, user_id, segment, none, got 'city'",
    ),
}


@pytest.mark.parametrize("case", YAML_CASES)
def test_bad_metadata_says_what_is_wrong(folder, case):
    content, message = YAML_CASES[case]
    (folder / "dataset.yaml").write_bytes(
        content if isinstance(content, bytes) else content.encode()
    )
    assert message in complaint(folder)


def test_metadata_may_begin_with_a_byte_order_mark(folder):
    path = folder / "dataset.yaml"
    path.write_bytes(b"\xef\xbb\xbf" + path.read_bytes())
    assert load_click_log(folder).name == "tiny"


def test_dot_vectors_may_be_zero(folder, change):
    path = folder / "dataset.yaml"
    path.write_text(path.read_text().replace("cosine", "dot"))
    assert load_click_log(change("queries", vector=vectors([0, 0], [1, 0]))).n_sessions == 3


@pytest.mark.parametrize(("table", "column"), [("impressions", "session_id"), ("items", "title")])
def test_texts_that_are_no_utf_8_are_a_fault_of_the_file(folder, table, column):
    path = folder / f"{table}.parquet"
    data = pq.read_table(path)
    texts = pa.array([b"\xf1\xf8"] * data.num_rows, pa.binary()).view(pa.string())
    pq.write_table(data.set_column(data.schema.get_field_index(column), column, texts), path)
    said = complaint(path.parent)
    assert f"{table}.parquet: cannot be read as a whole Parquet file: " in said
    assert "UTF8" in said
