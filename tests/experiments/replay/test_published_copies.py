"""The table of copies: what stands where, what is a copy, what the adjuster takes no more."""

import numpy as np
import pytest

from adjuster.metrics.drift import drift
from experiments.replay.published_copies import CopyTable, StoredCopies, no_copies
from tests.experiments.random_log import make_log

LOG = make_log(0, metric="cosine")
N = LOG.n_objects
PAIRS = np.array([N + 3, 2, N + 3, 7])


def originals(row):
    return LOG.object_vectors[LOG.object_offsets[row] : LOG.object_offsets[row + 1]]


def of(table, pair):
    return table.vectors[table.rows(table.slots(np.array([pair])))]


def test_a_pair_holds_its_original_until_a_copy_is_written():
    table = CopyTable(LOG, PAIRS, no_copies(LOG))
    assert table.pair.tolist() == [2, 7, N + 3]
    assert table.slots(np.array([7, 8, N + 3, 3 * N, -1])).tolist() == [1, -1, 2, -1, -1]
    assert not table.is_copy.any()
    slots = table.slots(np.array([N + 3]))
    table.write(slots, table.rows(slots), 2 * originals(3)[::-1])
    assert table.is_copy.tolist() == [False, False, True, False]
    np.testing.assert_array_equal(of(table, N + 3), 2 * originals(3)[::-1])
    np.testing.assert_array_equal(of(table, 7), originals(7))
    rows = originals(3)
    assert table.drift() == drift(rows, rows[::-1], np.array([0, len(rows)]))


def test_what_is_stored_begins_another_table():
    table = CopyTable(LOG, PAIRS, no_copies(LOG))
    slots = table.slots(np.array([2, N + 3]))
    rows = table.rows(slots)
    table.write(slots, rows, -table.vectors[rows])
    stored = table.stored()
    assert stored.pair.tolist() == [2, N + 3]
    again = CopyTable(LOG, np.array([N, 2]), stored)
    assert again.pair.tolist() == [2, N, N + 3]
    assert again.is_copy.tolist() == [True, False, True, False]
    for pair in (2, N + 3):
        np.testing.assert_array_equal(of(again, pair), of(table, pair))
    np.testing.assert_array_equal(again.drift(), table.drift())


@pytest.mark.parametrize(
    ("metric", "factor", "refuses"),
    [
        ("cosine", np.nan, True),
        ("cosine", 0, True),
        ("cosine", 1e20, False),
        ("dot", 1e20, True),
        ("euclid", np.inf, True),
        ("euclid", 2, False),
    ],
)
def test_a_copy_that_the_adjuster_refuses_is_known(metric, factor, refuses):
    log = make_log(0, metric=metric)
    stored = StoredCopies(np.array([5]), np.float32(factor) * originals(5))
    table = CopyTable(log, np.array([4]), stored)
    assert table.refuses == refuses
    assert table.is_refused.tolist() == [False, refuses, False]


def test_rows_out_of_range_have_shifts_under_cosine_alone():
    for metric, shifted in (("cosine", True), ("dot", False)):
        log = make_log(0, metric=metric)
        stored = StoredCopies(np.array([5]), np.float32(1e-30) * originals(5))
        table = CopyTable(log, np.array([5]), stored)
        assert table.shifts.all() == shifted
        assert not table.original_shifts.any()
