"""Checked tables become a `ClickLog` in canonical order, whatever the order of their rows."""

from dataclasses import fields

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from adjuster.index import SearchIndexInfo
from experiments.data.format.assembly import build_click_log
from experiments.data.format.click_log import ClickLog
from experiments.data.format.faults import Faults
from experiments.data.format.folder import group_vectors
from experiments.data.format.metadata import Metadata
from experiments.data.format.relations import check_relations
from tests.experiments.data.conftest import Tables, make_tables

METADATA = Metadata("tiny", SearchIndexInfo(2))


def assembled(tables: Tables, metadata: Metadata = METADATA) -> ClickLog:
    faults = Faults()
    items, queries = (group_vectors(n, tables[n], metadata, faults) for n in ("items", "queries"))
    codes = check_relations(tables, items.ids, queries.ids, faults)
    faults.raise_if_any("The tables of a test are at fault:")
    return build_click_log(metadata, items, queries, tables, codes)


def test_sessions_stand_in_order_of_time() -> None:
    log = assembled(make_tables())
    assert log.session_ids.tolist() == ["s1", "s2", "s3"]
    assert log.session_created_at.tolist() == [100, 200, 300]
    assert log.session_query.tolist() == [0, 1, 0]
    assert log.session_is_irrelevant.tolist() == [False, True, False]


def test_labels_are_sorted_and_their_absence_is_minus_one() -> None:
    log = assembled(make_tables())
    assert log.user_ids.tolist() == ["u1", "u2"]
    assert log.session_user.tolist() == [0, -1, 1]
    assert log.segments.tolist() == ["shop"]
    assert log.session_segment.tolist() == [0, -1, -1]


def test_impressions_follow_their_sessions() -> None:
    log = assembled(make_tables())
    assert log.impression_offsets.tolist() == [0, 3, 4, 6]
    assert log.object_ids[log.impression_object].tolist() == ["a", "b", "c", "b", "c", "a"]
    assert log.impression_position.tolist() == [0, 1, 2, 0, 0, 1]
    nan = np.nan
    np.testing.assert_array_equal(log.impression_relevance, np.float32([1, nan, 0.5, nan, 0, 2]))
    np.testing.assert_array_equal(
        log.impression_propensity, np.float32([1, 0.5, 0.25, 1, nan, nan])
    )


def test_events_stand_in_order_of_impression_then_time() -> None:
    log = assembled(make_tables())
    assert log.event_impression.tolist() == [0, 1, 4]
    assert log.event_created_at.tolist() == [120, 110, 305]


def test_an_objects_parts_stand_together() -> None:
    log = assembled(make_tables())
    assert log.object_offsets.tolist() == [0, 2, 3, 4]
    assert log.object_vectors.tolist() == np.float32([[1, 0], [0.6, 0.8], [0, 1], [-1, 0]]).tolist()
    assert log.object_is_average.tolist() == [False, True, False, False]
    assert log.object_titles.tolist() == ["A", "B", ""]
    assert log.query_texts.tolist() == ["one", ""]


def test_searches_of_one_second_stand_in_order_of_their_ids() -> None:
    tables = make_tables()
    data = tables["sessions"]
    tables["sessions"] = data.set_column(3, "created_at", pa.array([7, 7, 7], pa.int64()))
    assert assembled(tables).session_ids.tolist() == ["s1", "s2", "s3"]


def test_columns_that_may_be_missing_may_be_missing() -> None:
    tables = make_tables()
    tables["sessions"] = tables["sessions"].drop_columns(["user_id", "segment", "is_irrelevant"])
    tables["impressions"] = tables["impressions"].drop_columns(["relevance", "propensity"])
    tables["events"] = tables["events"].drop_columns(["event_type"])
    log = assembled(tables)
    assert (len(log.user_ids), len(log.segments)) == (0, 0)
    assert log.session_user.tolist() == log.session_segment.tolist() == [-1, -1, -1]
    assert not log.session_is_irrelevant.any()
    assert np.isnan(log.impression_relevance).all()
    assert np.isnan(log.impression_propensity).all()


def test_an_event_without_a_type_is_a_click() -> None:
    tables = make_tables()
    clicks = tables["events"].set_column(3, "event_type", pa.array(["click"] * 3))
    bare = clicks.drop_columns(["event_type"])
    marks = [assembled({**tables, "events": e}).fingerprint for e in (clicks, bare)]
    assert marks[0] == marks[1]
    assert assembled(tables).fingerprint != marks[0]


@pytest.mark.parametrize(
    ("scope", "users", "expected"),
    [
        (None, ["u2", "u1", None], "user_id"),
        (None, [None, None, None], "none"),
        ("segment", ["u2", "u1", None], "segment"),
    ],
)
def test_the_default_scope_is_by_user_where_users_are_known(
    scope: str | None, users: list[str | None], expected: str
) -> None:
    tables = make_tables()
    data = tables["sessions"]
    tables["sessions"] = data.set_column(1, "user_id", pa.array(users, pa.string()))
    metadata = Metadata("tiny", SearchIndexInfo(2), personalize_by=scope)
    assert assembled(tables, metadata).personalize_by == expected


@settings(max_examples=10, deadline=None)
@given(st.integers(0, 2**32 - 1))
def test_the_order_of_rows_changes_nothing(seed: int) -> None:
    rng = np.random.default_rng(seed)
    tables = make_tables()
    # The parts of an object keep the order of their rows: all but the items are shuffled.
    mixed = {
        name: data if name == "items" else data.take(pa.array(rng.permutation(data.num_rows)))
        for name, data in tables.items()
    }
    one, two = assembled(tables), assembled(mixed)
    for name in (field.name for field in fields(ClickLog)):
        np.testing.assert_array_equal(getattr(one, name), getattr(two, name), err_msg=name)


def test_the_order_of_an_objects_parts_changes_no_fingerprint() -> None:
    tables = make_tables()
    mixed = {**tables, "items": tables["items"].take(pa.array([3, 1, 2, 0]))}
    assert assembled(mixed).fingerprint == assembled(tables).fingerprint
