"""Counts of objects over time, stretch by stretch, against a loop over all rows."""

from itertools import pairwise

import numpy as np
import pytest

from experiments.replay.object_counts import ObjectCounts


@pytest.mark.parametrize("bounds", [[0, 200], [0, 1, 2, 90, 90, 200], list(range(0, 201, 8))])
def test_stretches_change_no_count(bounds):
    rng = np.random.default_rng(5)
    asked_at = np.sort(rng.integers(0, 60, 200))
    known_at = asked_at + rng.integers(0, 30, 200)
    objects, used = rng.integers(0, 7, 200), rng.random(200) < 0.8
    counts = ObjectCounts(7)
    pieces = [slice(first, last) for first, last in pairwise(bounds)]
    found = [
        counts.count(objects[rows], known_at[rows], used[rows], asked_at[rows]) for rows in pieces
    ]
    expected = [
        (used & (objects == mine) & (known_at < moment)).sum()
        for mine, moment in zip(objects, asked_at, strict=True)
    ]
    assert np.concatenate(found).tolist() == expected
    assert max(expected) > 10
