"""Copies are called `<object>_<owner>` only where that names one of them."""

import numpy as np
import pytest

from experiments.common.errors import InputError
from experiments.deployment.personalized_vectors import CopyIds

CLASHES = {
    "two copies": (["a", "a_b"], [("a", "b_c"), ("a_b", "c")], "a_b_c"),
    "a copy and an object": (["a", "a_u"], [("a", "u")], "a_u"),
    "a copy and an object that has copies": (["1", "1_2"], [("1", "2"), ("1_2", "3")], "1_2"),
    "empty parts": (["a_", "a"], [("a_", "b"), ("a", "_b")], "a__b"),
}


def check(objects, copies):
    originals, owners = (np.array(names, object) for names in zip(*copies, strict=True))
    ids = CopyIds(np.array(objects, object))
    for row in range(len(owners)):
        ids.check(originals[row : row + 1], owners[row : row + 1])


@pytest.mark.parametrize("case", CLASHES)
def test_two_vectors_of_one_id_are_refused_by_name(case):
    objects, copies, name = CLASHES[case]
    with pytest.raises(InputError, match=f"would both have the object_id {name!r}"):
        check(objects, copies)


def test_ids_that_stay_apart_are_taken():
    check(["a", "a_b"], [("a", "c"), ("a_b", "d"), ("a", "d")])
