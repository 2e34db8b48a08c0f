"""Working memory: where it begins, how large it is, and the gathering of query rows."""

import numpy as np
import pytest

from adjuster.fused_engine.problem import (
    LINE_BYTES,
    SPAN_ROWS,
    aligned_empty,
    gather_rows,
    make_workspace,
)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("shape", [(1, 1), (3, 7), (2, 5, 33)])
def test_memory_begins_on_a_cache_line_and_has_the_asked_shape(shape, dtype):
    for _ in range(20):
        memory = aligned_empty(shape, dtype)
        assert memory.ctypes.data % LINE_BYTES == 0
        assert memory.shape == shape
        assert memory.dtype == dtype
        assert memory.flags.c_contiguous


def test_two_pieces_of_memory_do_not_overlap():
    one, other = aligned_empty((4, 4), np.float64), aligned_empty((4, 4), np.float64)
    one[:] = 1.0
    other[:] = 2.0
    assert (one == 1.0).all()


def test_a_workspace_has_the_shapes_it_documents_and_the_vectors_type():
    workspace = make_workspace(3, 5, np.zeros((1, 7), np.float32))
    assert workspace.start.shape == workspace.scratch.shape == (3, 7)
    assert workspace.moments.shape == (2, 3, 7)
    assert workspace.raws.shape == workspace.sims.shape == workspace.cross.shape == (5, 3)
    assert workspace.coordinates.shape == (3, 5)
    assert workspace.gram.shape == (5, 5)
    assert workspace.term_rows.tolist() == [0] * 6
    assert workspace.start.dtype == workspace.moments.dtype == np.float32
    assert workspace.raws.dtype == workspace.rates.dtype == np.float64


def test_products_of_query_rows_are_kept_for_as_many_as_the_span_takes():
    workspace = make_workspace(1, SPAN_ROWS + 10, np.zeros((1, 2)))
    assert workspace.gram.shape == (SPAN_ROWS, SPAN_ROWS)
    assert workspace.raws.shape == (SPAN_ROWS + 10, 1)


def test_the_fields_of_a_workspace_share_no_memory():
    workspace = make_workspace(2, 3, np.zeros((1, 4)))
    for number, one in enumerate(workspace):
        assert not any(np.shares_memory(one, other) for other in workspace[number + 1 :])


def test_terms_rows_are_gathered_one_after_another():
    workspace = make_workspace(1, 6, np.zeros((1, 2)))
    offsets = np.array([0, 2, 3, 6])
    gather = gather_rows.py_func
    n_rows = gather(workspace, 0, 0, 2, offsets)
    n_rows = gather(workspace, n_rows, 1, 0, offsets)
    assert n_rows == 5
    assert workspace.rows[:5].tolist() == [3, 4, 5, 0, 1]
    assert workspace.term_rows[:3].tolist() == [0, 3, 5]
