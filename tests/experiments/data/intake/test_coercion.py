"""Raw values become the format's types; what does not fit is flagged, never guessed."""

from datetime import UTC, datetime

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from experiments.data.intake.coercion import ARROW_TYPES, coerce

GOOD = [
    ("id", ["a", 7, None], ["a", "7", None]),
    ("id", pa.array([1, 2]), ["1", "2"]),
    ("id", pa.array(["a", "b", "a"]).dictionary_encode(), ["a", "b", "a"]),
    ("text", ["x", None], ["x", None]),
    ("time", [12, 12.9, "13", None], [12, 12, 13, None]),
    ("time", ["1970-01-01T00:01:00Z", "1970-01-01T01:01:00+01:00"], [60, 60]),
    ("time", ["1970-01-01 00:00:05", "1969-12-31T23:59:58.5Z"], [5, -2]),
    ("time", pa.array([datetime(1970, 1, 1, 0, 0, 9)]), [9]),
    ("time", pa.array([1_500], pa.timestamp("ms", "UTC")), [1]),
    ("time", [datetime(1970, 1, 1, 0, 0, 9, tzinfo=UTC), "3"], [9, 3]),
    ("flag", [True, "true", "F", 0, 1, None], [True, True, False, False, True, None]),
    ("number", ["1.5", 2, None], [1.5, 2.0, None]),
    ("position", ["3", 2.0, None], [3, 2, None]),
    ("vector", ["[1, 2.5]", [0, 1], None], [[1, 2.5], [0, 1], None]),
    ("vector", pa.array([[1.0, 2.0]], pa.list_(pa.float64(), 2)), [[1, 2]]),
]
BAD = [
    ("id", [True, 1.5, ["a"], {}, "\ud800"]),
    ("text", [1, "\udfff"]),
    ("time", ["yesterday", True, [], 10**40, "9" * 400, float("inf")]),
    ("flag", ["maybe", 2, [1], 0.5]),
    ("number", ["one", True, [1], 10**400]),
    ("position", ["1.5", 1.5, True, 10**30, [1]]),
    ("vector", ["[1", "x", [[1]], ["a"], [True], 3, {"a": 1}, [10**400]]),
]


@pytest.mark.parametrize(("kind", "values", "expected"), GOOD)
def test_values_that_fit_are_taken(kind, values, expected):
    column, bad = coerce(values, kind)
    assert column.to_pylist() == expected
    assert column.type == ARROW_TYPES[kind]
    assert not bad.any()


@pytest.mark.parametrize(("kind", "values"), BAD)
def test_values_that_do_not_fit_are_flagged_one_by_one(kind, values):
    for value in values:
        column, bad = coerce([value, None], kind)
        assert bad.tolist() == [True, False], value
        assert column.to_pylist() == [None, None]


@pytest.mark.parametrize(("unit", "count"), [("s", 90), ("ms", 90_999), ("us", 90_999_999)])
def test_times_are_counted_in_their_unit(unit, count):
    for values in ([count, None], [str(count), None], pa.array([count, None])):
        assert coerce(values, "time", time_unit=unit)[0].to_pylist() == [90, None]


def test_iso_times_do_not_care_for_the_unit():
    assert coerce(["1970-01-01T00:01:00Z"], "time", time_unit="ms")[0].to_pylist() == [60]


def test_missing_numbers_in_a_vector_stay_missing():
    for values in ([[1, None]], ["[1, null]"]):
        assert coerce(values, "vector")[0].to_pylist() == [[1, None]]


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(st.characters()),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=2),
    max_leaves=4,
)


@given(values=st.lists(json_values, max_size=6), kind=st.sampled_from(sorted(ARROW_TYPES)))
def test_any_values_give_a_column_of_the_kind(values, kind):
    column, bad = coerce(values, kind, time_unit="ms")
    assert column.type == ARROW_TYPES[kind]
    assert len(column) == len(bad) == len(values)
    assert all(item is None for item, flag in zip(column.to_pylist(), bad, strict=True) if flag)


@given(values=st.lists(json_values, max_size=6), kind=st.sampled_from(sorted(ARROW_TYPES)))
def test_a_column_says_the_same_whole_or_value_by_value(values, kind):
    whole, bad = coerce(values, kind)
    single = [coerce([value], kind) for value in values]
    assert [flags[0] for _, flags in single] == bad.tolist()
    one_by_one = [column.to_pylist()[0] for column, _ in single]
    assert repr(one_by_one) == repr(whole.to_pylist())
