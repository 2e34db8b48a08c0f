"""The checks of one table: its columns, its values, its vectors, its ids."""

import time
from collections.abc import Callable
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from experiments.data.format.faults import Faults
from experiments.data.format.schema import TABLES
from experiments.data.format.validation import (
    check_columns,
    check_unique,
    check_values,
    check_vectors,
)
from tests.experiments.data.conftest import Tables

FILE = "t.parquet"


def with_column(data: pa.Table, name: str, values: Any) -> pa.Table:
    return data.set_column(data.column_names.index(name), name, values)


def value_faults(table: str, data: pa.Table) -> str:
    faults = Faults()
    check_values(table, FILE, data, faults)
    return faults.describe()


def column_faults(table: str, schema: pa.Schema) -> str:
    faults = Faults()
    usable = check_columns(table, FILE, schema, faults)
    assert usable == (not faults)
    return faults.describe()


def vector_faults(rows: list[Any], dimensions: int, *, cosine: bool) -> tuple[str, Any]:
    kind = pa.list_(pa.float32())
    data = pa.table({"id": [f"i{n}" for n in range(len(rows))], "vector": pa.array(rows, kind)})
    faults = Faults()
    matrix = check_vectors(FILE, data, dimensions, cosine=cosine, faults=faults)
    return faults.describe(), matrix


@pytest.mark.parametrize("table", list(TABLES))
def test_a_good_table_has_no_fault(tables: Tables, table: str) -> None:
    assert column_faults(table, tables[table].schema) == ""
    assert value_faults(table, tables[table]) == ""


@pytest.mark.parametrize("table", list(TABLES))
def test_a_column_may_be_missing_exactly_when_it_is_not_required(
    tables: Tables, table: str
) -> None:
    for column in TABLES[table]:
        names = [c.name for c in TABLES[table] if c.name != column.name]
        rest = tables[table].select([n for n in names if n in tables[table].column_names])
        said = column_faults(table, rest.schema)
        start = f"t.parquet: column {column.name} is missing; it must be {column.must}. The file"
        assert said.startswith(start) if column.required else said == ""


def test_all_wrong_types_are_told_at_once(tables: Tables) -> None:
    schema = pa.schema(
        [("event_id", pa.int64()), *list(tables["events"].schema)[1:4], ("created_at", pa.date32())]
    )
    assert column_faults("events", schema) == (
        "t.parquet: column event_id must be str, got int64\n"
        "t.parquet: column created_at must be int64 (UTC epoch seconds), got date32[day]"
    )


def test_a_column_of_nulls_will_do_where_cells_may_be_empty(tables: Tables) -> None:
    nulls = pa.nulls(3)
    assert column_faults("sessions", with_column(tables["sessions"], "user_id", nulls).schema) == ""
    said = column_faults("sessions", with_column(tables["sessions"], "query_id", nulls).schema)
    assert said == "t.parquet: column query_id must be str, got null"


def test_a_table_must_have_rows(tables: Tables) -> None:
    assert value_faults("items", tables["items"][:0]) == (
        "t.parquet: must have at least one row, got none"
    )
    assert value_faults("events", tables["events"][:0]) == (
        "t.parquet: must have at least one row, got none; without clicks there is nothing to "
        "learn from"
    )


@pytest.mark.parametrize(
    ("bad", "must"),
    [
        ("", "must not be an empty string"),
        ("x" * 1001, "must have at most 1,000 characters"),
        ("a\nb", "must not contain a line break or another control character"),
        ("a\x7f", "must not contain a line break or another control character"),
        (None, "must not be empty"),
    ],
)
@pytest.mark.parametrize("as_stored", [pa.array, lambda ids: pa.array(ids).dictionary_encode()])
def test_a_bad_id_is_found_in_each_of_its_rows(
    tables: Tables, bad: str | None, must: str, as_stored: Callable[[Any], pa.Array]
) -> None:
    ids = as_stored([bad, "x" * 1000, bad])
    lines = value_faults("events", with_column(tables["events"], "object_id", ids)).splitlines()
    assert lines[0] == f"t.parquet: column object_id {must} (2 rows; rows count from 0):"
    assert [line.split(":")[0] for line in lines[1:]] == ["  row 0", "  row 2"]


@pytest.mark.parametrize(
    ("seconds", "must"),
    [
        (-1, "UTC epoch seconds, >= 0"),
        (1_700_000_000_000, "UTC epoch seconds, not milliseconds (divide by 1,000)"),
        (10**11, "UTC epoch seconds, not milliseconds (divide by 1,000)"),
        (10**11 - 1, "UTC epoch seconds, not in the future"),
        (int(time.time()) + 3 * 86_400, "UTC epoch seconds, not in the future"),
    ],
)
def test_a_bad_time_is_told_what_it_is(tables: Tables, seconds: int, must: str) -> None:
    times = pa.array([0, int(time.time()), seconds], pa.int64())
    assert value_faults("events", with_column(tables["events"], "created_at", times)) == (
        f"t.parquet: column created_at must be {must} (1 row; rows count from 0):\n"
        f"  row 2: got {seconds}"
    )


@given(st.lists(st.none() | st.floats(), min_size=1, max_size=6))
def test_numbers_and_shares_are_good_where_a_naive_check_says_so(
    numbers: list[float | None],
) -> None:
    rules: dict[str, Callable[[float], bool]] = {
        "relevance": lambda x: 0 <= x < float("inf"),
        "propensity": lambda x: 0 < x <= 1,
    }
    for column, good in rules.items():
        faults = Faults()
        check_values("impressions", FILE, pa.table({column: pa.array(numbers, "f8")}), faults)
        bad = [row for row, x in enumerate(numbers) if x is not None and not good(x)]
        assert [row for fault in faults.found for row in fault.rows.tolist()] == bad


def test_positions_fit_32_bits(tables: Tables) -> None:
    positions = pa.array([0, 2**31 - 1, 2**31, -1, 1, 2], pa.int64())
    assert value_faults(
        "impressions", with_column(tables["impressions"], "position", positions)
    ) == (
        "t.parquet: column position must be >= 0 (0-based) (2 rows; rows count from 0):\n"
        "  row 2: got 2147483648\n"
        "  row 3: got -1"
    )


def test_good_vectors_are_read_whole_from_several_chunks() -> None:
    rows = np.arange(1, 13, dtype=np.float32).reshape(6, 2)
    chunks = [pa.array(rows[:1].tolist(), pa.list_(pa.float32(), 2))]
    chunks.append(pa.array([[99, 99], *rows[1:].tolist()], pa.list_(pa.float32(), 2))[1:])
    data = pa.table({"id": list("abcdef"), "vector": pa.chunked_array(chunks)})
    faults = Faults()
    matrix = check_vectors(FILE, data, 2, cosine=True, faults=faults)
    assert not faults
    np.testing.assert_array_equal(matrix, rows)


def test_every_fault_of_the_vectors_names_the_row_it_stands_in() -> None:
    said, matrix = vector_faults(
        [[1, 2], [1], [float("nan"), 0], [0, 0], [None, 1], [-float("inf"), 1]], 2, cosine=True
    )
    assert matrix is None
    assert said == (
        "t.parquet: column vector must have 2 numbers (1 row; rows count from 0):\n"
        "  row 1: got 1 numbers\n"
        "t.parquet: column vector must be finite (3 rows; rows count from 0):\n"
        "  row 2: got NaN, null or infinity ('i2')\n"
        "  row 4: got NaN, null or infinity ('i4')\n"
        "  row 5: got NaN, null or infinity ('i5')\n"
        "t.parquet: column vector must not be zero under cosine (1 row; rows count from 0):\n"
        "  row 3: got a zero vector ('i3')"
    )


def test_a_zero_vector_is_good_where_it_is_not_compared_by_cosine() -> None:
    said, matrix = vector_faults([[0, 0], [1, 0]], 2, cosine=False)
    assert said == ""
    assert matrix.tolist() == [[0, 0], [1, 0]]


@given(st.lists(st.none() | st.sampled_from("abc"), max_size=8))
def test_an_id_is_at_fault_where_it_stands_again(ids: list[str | None]) -> None:
    faults = Faults()
    check_unique(FILE, "event_id", pa.chunked_array([pa.array(ids, pa.string())]), faults)
    again = [row for row, i in enumerate(ids) if i is not None and i in ids[:row]]
    assert [row for fault in faults.found for row in fault.rows.tolist()] == again
    assert all(fault.what == "column event_id must stand once" for fault in faults.found)
