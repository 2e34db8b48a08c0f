"""The plugin API's objects and the flat form: what they say of themselves."""

import numpy as np

from adjuster import ImprovementElement
from adjuster.feedback import batch_in_range, element_parts
from tests.adjuster.cases import random_batch


class HostElement:
    """A host's own, without flags."""

    def __init__(self, vector):
        self.vector = vector


def test_flags_tell_how_many_rows_are_data_but_never_more_than_there_are():
    rows = np.ones((3, 2))
    assert ImprovementElement("a", rows).n_parts == 3
    assert ImprovementElement("a", rows, is_average=[False]).n_parts == 1
    assert ImprovementElement("a", rows, is_average=[False] * 5).n_parts == 3
    assert element_parts(HostElement(rows)) == 3


def test_a_batch_counts_its_objects():
    batch = random_batch(0)
    assert batch.n_objects == len(batch.object_offsets) - 1 == len(batch.term_offsets) - 1


def test_a_vector_is_scaled_as_its_original_is():
    batch = random_batch(1, dtype=np.float32)
    batch.originals[0] *= np.float32(2.0**70)
    batch.vectors[0] *= np.float32(2.0**68)
    safe, shifts = batch_in_range(batch)
    assert shifts[0] < 0
    assert not shifts[1:].any()
    np.testing.assert_array_equal(safe.vectors[0], np.ldexp(batch.vectors[0], shifts[0]))
    np.testing.assert_array_equal(safe.originals[0], np.ldexp(batch.originals[0], shifts[0]))
