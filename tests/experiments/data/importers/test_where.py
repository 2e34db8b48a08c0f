"""What `where` lets through: values of YAML against cells as CSV, JSON and Parquet hold them."""

import numpy as np
import pyarrow as pa
import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from experiments.data.importers.where import Wanted, fault_of, wanted

CASES = [
    ("true", [True, "true", "True", "TRUE", "t", "yes", "1", "1.0", 1, 1.0], [False, "x", None, 2]),
    ("false", [False, "false", "No", "0", 0, 0.0], [True, "", None, "1"]),
    ("yes", ["yes", "Y", True, 1], ["no", 0, None]),
    ("1", [1, 1.0, "1", "1.0", " 1 ", True, "1e0"], [0, "true", "one", "", None, False]),
    ("0", [0, "0", "0.0", False], [None, "", "false", 1]),
    ("2.5", [2.5, "2.5", "2.50"], [2, "2", "2,5", float("nan")]),
    ("12345678901234567890", ["12345678901234567890"], ["12345678901234567891", 1]),
    ("buy", ["buy"], ["Buy", "buyer", None, ["buy"]]),
    ("'1'", ["1", 1, 1.0, "1.0"], ["01", True, None]),
    ("'true'", ["true", True], ["True", "1", 1]),
    ("null", [None, "", float("nan")], ["null", 0, False]),
    ("2024-05-01", ["2024-05-01"], ["2024-05-02", 20240501]),
    ("[1, buy, null]", [1, "buy", "", True], ["2", "x"]),
]


@pytest.mark.parametrize(("said", "taken", "others"), CASES, ids=[said for said, *_ in CASES])
def test_a_value_of_yaml_finds_the_cells_that_mean_the_same(said, taken, others):
    rule = wanted(yaml.safe_load(said))
    assert rule.choose(taken).tolist() == [True] * len(taken)
    assert rule.choose(others).tolist() == [False] * len(others)


ARROW = [
    pa.array([True, False, None]),
    pa.array([1, 0, None], pa.int8()),
    pa.array([1.0, 0.0, None], pa.float64()),
    pa.array(["true", "0", ""]),
    pa.array(["yes", "no", None], pa.large_string()),
    pa.array(["true", "false", None]).dictionary_encode(),
    pa.chunked_array([[True], [False, None]]),
    pa.array([1.0, 0.0, None], pa.float16()),
]


@pytest.mark.parametrize("column", ARROW, ids=lambda column: str(column.type))
def test_flags_are_found_in_columns_of_any_type(column):
    assert Wanted((True,)).choose(column).tolist() == [True, False, False]
    assert Wanted((False,)).choose(column).tolist() == [False, True, False]
    assert Wanted((None,)).choose(column).tolist() == [False, False, True]


CELLS = st.none() | st.booleans() | st.integers(-2, 2) | st.sampled_from(["1", "true", "a", ""])


@given(st.lists(CELLS, min_size=1, max_size=3), st.lists(CELLS, max_size=8))
def test_several_values_take_what_any_of_them_takes(values, cells):
    each = [Wanted((value,)).choose(cells) for value in values]
    np.testing.assert_array_equal(Wanted(tuple(values)).choose(cells), np.any(each, axis=0))


@given(st.lists(st.sampled_from(["1", "true", "a", "", None, "1.0"]), max_size=8), CELLS)
def test_arrow_and_lists_agree(cells, value):
    rule = Wanted((value,))
    column = rule.choose(pa.array(cells, pa.string()))
    np.testing.assert_array_equal(column, rule.choose(cells))


def test_times_of_parquet_are_compared_as_they_are_written():
    column = pa.array(["2024-05-01", None]).cast(pa.date32())
    assert wanted(yaml.safe_load("2024-05-01")).choose(column).tolist() == [True, False]


@pytest.mark.parametrize("value", [{}, [[1]], [{"a": 1}], b"x", []])
def test_what_is_no_plain_value_is_a_fault(value):
    assert fault_of(value).startswith("must ")


@pytest.mark.parametrize("value", [True, 1, 2.5, "x", None, [1, "x", False]])
def test_plain_values_are_none(value):
    assert fault_of(value) == ""
