"""Reading and writing a data set: round trips, canonical order, the fingerprint."""

from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from adjuster.index import MetricAggregationType, MetricType, SearchIndexInfo
from experiments.common.errors import InputError
from experiments.data.format.folder import (
    load_click_log,
    vector_column,
    write_click_log,
)
from experiments.data.format.metadata import Metadata
from experiments.data.format.whole_folder import new_folder


def test_sessions_come_in_order_of_time(folder):
    log = load_click_log(folder)
    assert log.session_ids.tolist() == ["s1", "s2", "s3"]
    assert log.session_created_at.tolist() == [100, 200, 300]
    assert log.session_user.tolist() == [0, -1, 1]
    assert log.session_segment.tolist() == [0, -1, -1]
    assert log.session_is_irrelevant.tolist() == [False, True, False]
    assert log.query_ids[log.session_query].tolist() == ["q1", "q2", "q1"]


def test_impressions_belong_to_their_sessions_in_order_of_position(folder):
    log = load_click_log(folder)
    assert log.impression_offsets.tolist() == [0, 3, 4, 6]
    assert log.object_ids[log.impression_object].tolist() == ["a", "b", "c", "b", "c", "a"]
    assert log.impression_position.tolist() == [0, 1, 2, 0, 0, 1]
    np.testing.assert_array_equal(log.impression_relevance, [1, np.nan, 0.5, np.nan, 0, 2])
    np.testing.assert_array_equal(log.impression_propensity, [1, 0.5, 0.25, 1, np.nan, np.nan])


def test_events_point_at_their_impressions(folder):
    log = load_click_log(folder)
    assert log.event_impression.tolist() == [0, 1, 4]
    assert log.event_created_at.tolist() == [120, 110, 305]


def test_objects_keep_their_parts_and_titles(folder):
    log = load_click_log(folder)
    assert log.object_ids.tolist() == ["a", "b", "c"]
    assert log.object_offsets.tolist() == [0, 2, 3, 4]
    assert log.object_is_average.tolist() == [False, True, False, False]
    assert log.object_titles.tolist() == ["A", "B", ""]
    np.testing.assert_array_equal(
        log.object_vectors, np.array([[1, 0], [0.6, 0.8], [0, 1], [-1, 0]], np.float32)
    )
    assert log.query_texts.tolist() == ["one", ""]


def test_metadata_comes_back(folder):
    log = load_click_log(folder)
    assert log.name == "tiny"
    assert log.index == SearchIndexInfo(2, MetricType.COSINE, MetricAggregationType.MIN)


def test_a_set_with_users_is_personalized_by_user_unless_it_says_otherwise(tmp_path, tables):
    for default, expected in ((None, "user_id"), ("segment", "segment"), ("none", "none")):
        metadata = Metadata("tiny", SearchIndexInfo(2), personalize_by=default)
        write_click_log(tmp_path / "set", metadata, tables)
        assert load_click_log(tmp_path / "set").personalize_by == expected


def test_a_set_without_users_is_not_personalized(change):
    assert load_click_log(change("sessions", drop=("user_id",))).personalize_by == "none"


def test_optional_columns_may_be_missing_or_all_null(change, folder):
    change("items", drop=("is_average", "title"))
    change("queries", text=pa.nulls(2))
    change("sessions", drop=("is_irrelevant",), user_id=pa.nulls(3), segment=pa.nulls(3))
    change("impressions", drop=("relevance",), propensity=pa.nulls(6))
    log = load_click_log(change("events", drop=("event_type",)))
    assert log.n_users == 0
    assert not log.session_is_irrelevant.any()
    assert np.isnan(log.impression_relevance).all()
    assert np.isnan(log.impression_propensity).all()


def test_vectors_may_come_as_plain_lists_of_doubles(change, folder):
    before = load_click_log(folder).fingerprint
    vectors = load_click_log(folder).query_vectors.astype(np.float64).tolist()
    assert load_click_log(change("queries", vector=vectors)).fingerprint == before


def test_ids_with_emoji_are_ids_like_others(change, folder):
    change("events", drop=("object_id",), object_id=["b", "🦊", "a"])
    change("impressions", object_id=["a", "b", "🦊", "b", "🦊", "a"])
    log = load_click_log(change("items", object_id=["a", "a", "b", "🦊"]))
    assert log.object_ids.tolist() == ["a", "b", "🦊"]


def test_dictionary_values_that_no_row_has_are_no_users(change):
    users = pa.DictionaryArray.from_arrays(pa.array([1, 0, None], pa.int8()), ["u1", "u2", "ghost"])
    assert load_click_log(change("sessions", user_id=users)).user_ids.tolist() == ["u1", "u2"]


def shuffled(table: pa.Table, seed: int) -> pa.Table:
    return table.take(pa.array(np.random.default_rng(seed).permutation(table.num_rows)))


@given(seed=st.integers(0, 2**32 - 1), compression=st.sampled_from(["none", "snappy", "zstd"]))
@settings(max_examples=25, deadline=None)
def test_fingerprint_ignores_row_order_and_compression(tmp_path_factory, seed, compression):
    log, tables = random_log(tmp_path_factory.mktemp("log"), seed % 5)
    other = tmp_path_factory.mktemp("other")
    for name, table in tables.items():
        pq.write_table(shuffled(table, seed), other / f"{name}.parquet", compression=compression)
    (other / "dataset.yaml").write_text(RANDOM_METADATA.to_yaml())
    assert load_click_log(other).fingerprint == log.fingerprint


@given(seed=st.integers(0, 2**32 - 1))
@settings(max_examples=25, deadline=None)
def test_a_log_written_and_read_is_the_same_log(tmp_path_factory, seed):
    path = tmp_path_factory.mktemp("log")
    log, tables = random_log(path, seed)
    sessions = tables["sessions"].to_pylist()
    sessions.sort(key=lambda row: (row["created_at"], row["session_id"]))
    assert log.session_ids.tolist() == [row["session_id"] for row in sessions]
    shown = {}
    for row in tables["impressions"].to_pylist():
        shown.setdefault(row["session_id"], {})[row["position"]] = row["object_id"]
    clicked = sorted((r["session_id"], r["object_id"]) for r in tables["events"].to_pylist())
    found = []
    for number, session in enumerate(log.session_ids):
        start, end = log.impression_offsets[number : number + 2]
        mine = log.object_ids[log.impression_object[start:end]].tolist()
        assert mine == [shown[session][place] for place in range(len(shown[session]))]
    owner = np.searchsorted(log.impression_offsets, log.event_impression, side="right") - 1
    for session, place in zip(owner, log.event_impression, strict=True):
        found.append((log.session_ids[session], log.object_ids[log.impression_object[place]]))
    assert sorted(found) == clicked


RANDOM_METADATA = Metadata("random", SearchIndexInfo(3, "dot", "avg"))


def random_log(path: Path, seed: int) -> tuple[object, dict[str, pa.Table]]:
    rng = np.random.default_rng(seed)
    n_objects, n_queries, n_sessions = 6, 3, int(rng.integers(1, 8))
    parts = rng.integers(1, 4, n_objects)
    sizes = rng.integers(1, n_objects + 1, n_sessions)
    names = [f"s{n}" for n in rng.permutation(n_sessions)]
    shown = [rng.permutation(n_objects)[:size] for size in sizes]
    impressions = [
        (names[s], place, f"o{item}")
        for s in range(n_sessions)
        for place, item in enumerate(shown[s])
    ]
    clicks = [impressions[n] for n in rng.integers(0, len(impressions), 5)]
    created_at = rng.integers(0, 4, n_sessions)
    tables = {
        "items": pa.table(
            {
                "object_id": np.repeat([f"o{n}" for n in range(n_objects)], parts),
                "vector": vector_column(rng.normal(size=(int(parts.sum()), 3)).astype("f4")),
                "is_average": rng.random(int(parts.sum())) < 0.3,
            }
        ),
        "queries": pa.table(
            {
                "query_id": [f"q{n}" for n in range(n_queries)],
                "vector": vector_column(rng.normal(size=(n_queries, 3)).astype("f4")),
            }
        ),
        "sessions": pa.table(
            {
                "session_id": names,
                "query_id": [f"q{n}" for n in rng.integers(0, n_queries, n_sessions)],
                "created_at": created_at,
            }
        ),
        "impressions": pa.table(
            {
                "session_id": [row[0] for row in impressions],
                "position": np.array([row[1] for row in impressions], np.int32),
                "object_id": [row[2] for row in impressions],
            }
        ),
        "events": pa.table(
            {
                "event_id": [f"e{n}" for n in range(len(clicks))],
                "session_id": [row[0] for row in clicks],
                "object_id": [row[2] for row in clicks],
                "created_at": rng.integers(0, 3, len(clicks)),
            }
        ),
    }
    write_click_log(path / "set", RANDOM_METADATA, tables)
    return load_click_log(path / "set"), tables


@pytest.mark.parametrize(
    ("table", "column", "values"),
    [
        ("items", "vector", [[1.0, 0.0], [0.6, 0.8], [0.0, 1.0], [-1.0, 0.1]]),
        ("items", "is_average", [True, True, False, False]),
        ("items", "title", ["A", "A", "B", "C"]),
        ("queries", "text", ["one", "two"]),
        ("sessions", "user_id", ["u2", "u1", "u1"]),
        ("sessions", "created_at", [300, 100, 201]),
        ("sessions", "segment", [None, "shop", "shop"]),
        ("impressions", "relevance", [1.0, None, 0.5, None, 0.0, 1.0]),
        ("events", "event_type", ["click", "click", "click"]),
        ("events", "event_id", ["e1", "e2", "e4"]),
        ("events", "created_at", [110, 306, 120]),
    ],
)
def test_fingerprint_changes_with_any_content(change, folder, table, column, values):
    before = load_click_log(folder).fingerprint
    assert load_click_log(change(table, **{column: values})).fingerprint != before


def test_a_folder_that_fails_halfway_leaves_nothing(tmp_path):
    def write_half() -> None:
        with new_folder(tmp_path / "set") as folder:
            (folder / "items.parquet").write_text("half")
            raise RuntimeError("stop")

    with pytest.raises(RuntimeError):
        write_half()
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_fails_halfway_keeps_the_one_before(folder):
    before = load_click_log(folder).fingerprint
    with pytest.raises(RuntimeError), new_folder(folder):
        raise RuntimeError("stop")
    assert load_click_log(folder).fingerprint == before
    assert [path.name for path in folder.parent.iterdir()] == [folder.name]


def test_a_folder_written_again_is_replaced(folder, metadata, tables):
    tables["queries"] = tables["queries"].set_column(2, "text", [["uno", "dos"]])
    write_click_log(folder, metadata, tables)
    assert load_click_log(folder).query_texts.tolist() == ["uno", "dos"]
    assert [path.name for path in folder.parent.iterdir()] == [folder.name]


def test_a_missing_folder_says_what_to_do(tmp_path):
    with pytest.raises(InputError, match=r"which is not there\. Make one with"):
        load_click_log(tmp_path / "nowhere")


def test_a_file_instead_of_a_folder_says_so(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(InputError, match="which is a file"):
        load_click_log(tmp_path / "file")
