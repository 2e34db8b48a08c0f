"""What one table says of another: found row by row, and put into indices."""

from itertools import pairwise
from typing import Any

import numpy as np
import pyarrow as pa
from hypothesis import given, settings
from hypothesis import strategies as st

from experiments.data.format.faults import Faults
from experiments.data.format.relations import Codes, check_relations
from tests.experiments.data.conftest import make_tables

OBJECTS, QUERIES = pa.array(["a", "b", "c"]), pa.array(["q1", "q2"])


def related(**changed: dict[str, Any]) -> tuple[Codes, str]:
    """The tiny tables, some of their columns replaced: their codes and faults."""
    tables = make_tables()
    for table, columns in changed.items():
        data = tables[table]
        kept = {name: data[name] for name in data.column_names}
        tables[table] = pa.table({**kept, **columns})
    faults = Faults()
    return check_relations(tables, OBJECTS, QUERIES, faults), faults.describe()


def test_ids_become_indices_of_rows() -> None:
    codes, said = related()
    assert said == ""
    assert codes.session_query.tolist() == [0, 0, 1]
    assert codes.impression_session.tolist() == [1, 1, 1, 2, 0, 0]  # s3 stands in row 0
    assert codes.impression_object.tolist() == [0, 1, 2, 1, 2, 0]
    assert codes.event_impression.tolist() == [1, 4, 0]


def test_an_unknown_id_is_told_in_which_table_it_must_stand() -> None:
    codes, said = related(
        sessions={"query_id": ["q1", "q9", "q2"]},
        impressions={"object_id": ["a", "b", "z", "b", "c", "a"]},
        events={"session_id": ["s1", "s3", "s9"]},
    )
    assert said == (
        "sessions.parquet: column query_id must stand in queries.parquet "
        "(1 row; rows count from 0):\n  row 1: got 'q9'\n"
        "impressions.parquet: column object_id must stand in items.parquet "
        "(1 row; rows count from 0):\n  row 2: got 'z'\n"
        "events.parquet: column session_id must stand in sessions.parquet "
        "(1 row; rows count from 0):\n  row 2: got 's9'"
    )
    assert codes.impression_object[2] == codes.event_impression[2] == -1


def test_a_session_twice_is_one_fault_and_its_first_row_counts() -> None:
    codes, said = related(
        sessions={"session_id": ["s3", "s1", "s3"]},
        impressions={
            "session_id": ["s1", "s1", "s1", "s1", "s3", "s3"],
            "position": [0, 1, 2, 3, 0, 1],
            "object_id": ["a", "b", "c", "c", "c", "a"],
        },
    )
    assert said.startswith(
        "sessions.parquet: column session_id must stand once (1 row; rows count from 0):\n"
        "  row 2: got 's3'\n"
    )
    assert codes.impression_session.tolist() == [1, 1, 1, 1, 0, 0]


def test_the_first_wrong_position_of_each_session_is_told() -> None:
    _, said = related(impressions={"position": [0, 2, 3, 1, 1, 0]})
    assert said == (
        "impressions.parquet: column position must run 0, 1, 2 … in each session, without gaps "
        "or repeats (the first wrong row of each session) (2 rows; rows count from 0):\n"
        "  row 1: got 2 instead of 1 (session 's1')\n"
        "  row 3: got 1 instead of 0 (session 's2')"
    )


def test_a_session_that_shows_nothing_is_told() -> None:
    _, said = related(
        impressions={
            "session_id": ["s1", "s1", "s1", "s3", "s3", "s3"],
            "position": [0, 1, 2, 2, 0, 1],
        }
    )
    assert said == (
        "sessions.parquet: a session must show at least one object in impressions.parquet "
        "(1 row; rows count from 0):\n  row 2: got 's2'"
    )


def test_an_object_shown_twice_in_a_session_is_told() -> None:
    _, said = related(impressions={"object_id": ["a", "b", "a", "b", "c", "a"]})
    assert said == (
        "impressions.parquet: an object must stand once in a session "
        "(1 row; rows count from 0):\n  row 2: got session 's1', object 'a' again"
    )


def test_a_click_on_what_its_session_did_not_show_is_told() -> None:
    codes, said = related(events={"object_id": ["b", "b", "never"]})
    assert said == (
        "events.parquet: an event's object must have been shown in its session "
        "(2 rows; rows count from 0):\n"
        "  row 1: got session 's3', object 'b'\n"
        "  row 2: got session 's1', object 'never'"
    )
    assert codes.event_impression.tolist() == [1, -1, -1]


def test_a_click_on_a_shown_object_without_a_vector_has_its_impression() -> None:
    codes, said = related(
        impressions={"object_id": ["a", "z", "c", "b", "c", "a"]},
        events={"object_id": ["z", "c", "a"]},
    )
    assert "an event's object" not in said
    assert codes.event_impression.tolist() == [1, 4, 0]


@settings(max_examples=50, deadline=None)
@given(st.integers(0, 2**32 - 1))
def test_shuffled_rows_are_related_as_a_naive_search_relates_them(seed: int) -> None:
    rng = np.random.default_rng(seed)
    names = [f"s{n}" for n in rng.permutation(5)]
    shown = [
        (name, place, str(item))
        for name in names
        for place, item in enumerate(rng.permutation(["a", "b", "c"])[: rng.integers(1, 4)])
    ]
    shown = [shown[row] for row in rng.permutation(len(shown))]
    clicked = [shown[row] for row in rng.integers(0, len(shown), 6)]
    tables = {
        "sessions": pa.table({"session_id": names, "query_id": ["q1"] * 5}),
        "impressions": pa.table(
            {
                "session_id": [row[0] for row in shown],
                "position": pa.array([row[1] for row in shown], pa.int32()),
                "object_id": [row[2] for row in shown],
            }
        ),
        "events": pa.table(
            {
                "event_id": [f"e{n}" for n in range(6)],
                "session_id": [row[0] for row in clicked],
                "object_id": [row[2] for row in clicked],
            }
        ),
    }
    faults = Faults()
    codes = check_relations(tables, OBJECTS, QUERIES, faults)
    assert not faults
    assert codes.impression_session.tolist() == [names.index(row[0]) for row in shown]
    assert codes.event_impression.tolist() == [shown.index(row) for row in clicked]
    in_order = [shown[row] for row in codes.impression_order]
    places: dict[str, list[int]] = {}
    for name, place, _ in in_order:
        places.setdefault(name, []).append(place)
    assert sorted(codes.impression_order.tolist()) == list(range(len(shown)))
    assert all(row == list(range(len(row))) for row in places.values())
    assert len([1 for a, b in pairwise(in_order) if a[0] != b[0]]) == 4
