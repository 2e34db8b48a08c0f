"""Equals are ranked by similarity, then by chance, never as they were shown."""

import numpy as np
import pytest

from adjuster.metrics.ranking import rank_order
from experiments.replay.ties import among_equals


def test_equals_fall_back_to_similarity():
    similarity, offsets = np.array([0.1, 0.3, 0.2, 0.5, 0.6]), np.array([0, 3, 5])
    rows = among_equals(similarity, offsets, seed=0)
    assert rows.tolist() == [1, 2, 0, 4, 3]
    # Rows 0 and 2 are equal and best, and 2 is the more similar.
    scores = np.array([7.0, 1.0, 7.0, 0.0, 0.0])
    assert rows[rank_order(scores[rows], offsets)].tolist() == [2, 0, 1, 4, 3]


def test_who_is_equal_in_all_is_drawn_and_stays_drawn():
    n_sessions = 4000
    offsets = np.arange(n_sessions + 1) * 5
    similarity = np.zeros(5 * n_sessions)
    rows = among_equals(similarity, offsets, seed=1)
    np.testing.assert_array_equal(rows, among_equals(similarity, offsets, seed=1))
    assert (rows != among_equals(similarity, offsets, seed=2)).any()
    places = rows.reshape(n_sessions, 5) % 5  # the position shown of each place
    np.testing.assert_array_equal(np.sort(places, axis=1), np.tile(np.arange(5), (n_sessions, 1)))
    assert places.mean(axis=0) == pytest.approx([2.0] * 5, abs=0.1)


def test_a_shorter_log_has_the_same_order():
    offsets = np.arange(101) * 3
    whole = among_equals(np.zeros(300), offsets, seed=5)
    np.testing.assert_array_equal(among_equals(np.zeros(150), offsets[:51], seed=5), whole[:150])
