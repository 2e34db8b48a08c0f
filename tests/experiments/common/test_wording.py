"""Numbers and tables for people."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from experiments.common.wording import grid, interval_text, plain, signed

CELLS = st.text(st.characters(codec="ascii", categories=["L", "N"]), max_size=5)


@given(st.floats(-3, 3))
def test_a_sign_stands_only_before_what_is_not_zero(value):
    text = signed(value)
    assert (text[0] in "+-") is (round(value, 3) != 0)
    assert float(text) == pytest.approx(value, abs=0.000501)
    assert plain(value) == text.removeprefix("+")


def test_without_a_comparison_it_says_so():
    assert interval_text(None) == "none scored"


@given(st.lists(st.tuples(CELLS, CELLS, CELLS), min_size=1), st.integers(0, 3))
def test_a_grid_holds_every_cell_in_its_column(rows, n_left):
    lines = grid(rows, n_left=n_left)
    widths = [max(len(row[column]) for row in rows) for column in range(3)]
    for line, row in zip(lines, rows, strict=True):
        assert line == line.rstrip()
        padded, begin = line.ljust(sum(widths) + 4), 0
        for width, cell in zip(widths, row, strict=True):
            assert padded[begin : begin + width].strip() == cell
            begin += width + 2


def test_rows_of_unequal_length_are_our_own_mistake():
    with pytest.raises(ValueError, match="zip"):
        grid([("a", "b"), ("c",)])
