"""Rows that are added to one array."""

import numpy as np

from adjuster.live.learning.growing_rows import GrowingRows


def test_rows_stay_while_others_come_and_are_as_wide_as_the_widest():
    grown = GrowingRows()
    grown.extend([])
    grown.extend([np.full((2, 3), 0.1, np.float32)])
    assert grown.rows.dtype == np.float32
    for value in range(5):
        grown.extend([np.full((1, 3), float(value)), np.full((2, 3), value, np.float32)])
    assert grown.rows.dtype == np.float64
    wanted = [np.float32(0.1)] * 2 + [value for value in range(5) for _ in range(3)]
    assert grown.rows.tolist() == [[value] * 3 for value in wanted]


def test_added_rows_are_written_by_whoever_added_them():
    grown = GrowingRows()
    grown.add(2, 1, np.dtype(np.float32))
    grown.rows[:] = [[1], [2]]
    grown.add(0, 1, np.dtype(np.float64))
    assert (len(grown), grown.rows.dtype, grown.rows.tolist()) == (2, np.float64, [[1], [2]])
