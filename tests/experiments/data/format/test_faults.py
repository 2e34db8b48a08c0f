"""Faults are gathered, told with examples, and raised at once."""

import ast

import numpy as np
import pytest

from experiments.common.errors import InputError
from experiments.data.format.faults import MAX_SHOWN, N_EXAMPLES, Fault, Faults, Got, show


def some_fault(*rows: int) -> Fault:
    return Fault("a.parquet", "n must be >= 0", np.array(rows, np.int64), ("-1",) * len(rows))


def test_nothing_found_raises_nothing() -> None:
    faults = Faults()
    faults.add_rows("a.parquet", "n must be >= 0", np.zeros(3, bool), lambda row: row)
    faults.add_rows("a.parquet", "n must be >= 0", np.empty(0, np.int64), lambda row: row)
    faults.raise_if_any("Heading:")
    assert not faults
    assert faults.describe() == ""


def test_every_fault_stands_under_one_heading_in_order_of_discovery() -> None:
    faults = Faults()
    faults.add_file("b.parquet", "the file is missing")
    faults.add_rows(
        "a.parquet", "n must be >= 0", np.array([True, False, True]), [-4, 0, -6].__getitem__
    )
    with pytest.raises(InputError) as raised:
        faults.raise_if_any("Nothing can be read:")
    assert str(raised.value) == (
        "Nothing can be read:\n"
        "b.parquet: the file is missing\n"
        "a.parquet: n must be >= 0 (2 rows; rows count from 0):\n"
        "  row 0: got -4\n"
        "  row 2: got -6"
    )


def test_row_numbers_are_put_in_order() -> None:
    faults = Faults()
    faults.add_rows("a", "n is wrong", np.array([7, 2, 5]), lambda row: 10 * row)
    assert faults.found[0].rows.tolist() == [2, 5, 7]
    assert faults.found[0].examples == ("20", "50", "70")


def test_only_the_first_rows_are_looked_at_and_all_are_counted() -> None:
    asked: list[int] = []

    def got(row: int) -> int:
        asked.append(row)
        return row

    faults = Faults()
    faults.add_rows("a", "n is wrong", np.ones(1234, bool), got)
    assert asked == list(range(N_EXAMPLES))
    lines = faults.describe().splitlines()
    assert lines[0] == "a: n is wrong (1,234 rows; rows count from 0):"
    assert len(lines) == 1 + N_EXAMPLES


def test_a_moved_fault_names_the_rows_of_the_other_table() -> None:
    moved = some_fault(0, 2).moved(np.array([10, 11, 40]))
    assert moved.rows.tolist() == [10, 40]
    assert moved.describe().splitlines()[1:] == ["  row 10: got -1", "  row 40: got -1"]


def test_a_fault_of_a_whole_file_stays_one_when_moved() -> None:
    moved = some_fault().moved(np.array([10, 11]))
    assert moved.describe() == "a.parquet: n must be >= 0"


@pytest.mark.parametrize("value", ["two\nlines", "nul\0", "tab\t", ["a\nb"]])
def test_a_value_is_shown_on_one_line(value: object) -> None:
    text = show(value)
    assert text.isprintable()
    assert ast.literal_eval(text) == value


def test_a_long_value_is_cut_and_its_length_told() -> None:
    fits = "x" * (MAX_SHOWN - 2)
    assert show(fits) == f"'{fits}'"
    assert show("x" * 5000) == "'" + "x" * (MAX_SHOWN - 1) + "… (5,000 characters)"


def test_a_description_is_shown_as_it_stands() -> None:
    words = Got("3 numbers, " + "and more, " * 20)
    assert show(words) == str(words)
