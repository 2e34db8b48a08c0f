"""Users' means against loops written for clarity."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from experiments.replay.people import users_mean, users_shares, weighted_mean

USERS = arrays(np.int64, st.integers(0, 30), elements=st.integers(-1, 5))


@given(USERS, st.data())
def test_the_mean_over_users_is_that_of_each_ones_mean(user, data):
    values = np.array(data.draw(st.lists(st.floats(-1, 1), min_size=len(user), max_size=len(user))))
    people: dict[object, list[float]] = {}
    for row, (who, value) in enumerate(zip(user, values, strict=True)):
        people.setdefault(("unknown", row) if who < 0 else int(who), []).append(value)
    found = users_mean(values, user)
    if not people:
        assert math.isnan(found)
    else:
        expected = np.mean([np.mean(own) for own in people.values()])
        assert found == pytest.approx(expected, abs=1e-12)


@given(USERS, st.data())
def test_shares_sum_to_one_over_what_is_kept(user, data):
    keep = np.array(
        data.draw(st.lists(st.booleans(), min_size=len(user), max_size=len(user))), bool
    )
    shares = users_shares(user, keep)
    assert (shares[~keep] == 0).all()
    assert (shares[keep] > 0).all()
    assert shares.sum() == pytest.approx(1.0 if keep.any() else 0.0)


def test_what_has_no_weight_may_have_no_value():
    assert weighted_mean(np.array([np.nan, 2.0]), np.array([0.0, 0.1])) == 2.0
    assert math.isnan(weighted_mean(np.array([1.0]), np.array([0.0])))
