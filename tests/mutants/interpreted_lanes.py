"""`adjuster.fused_engine.lanes` in NumPy, so that the kernel runs without being compiled.

A mutant copy of the tree gets this file in the place of the compiled one: a `Lanes` is an array
of as many numbers, and each function says in one line what the compiled one does.
"""

import numpy as np

LANE_BYTES = 32


def lane_count(matrix):
    return LANE_BYTES // matrix.dtype.itemsize


def load(matrix, row, d, count):
    lanes = np.zeros(lane_count(matrix), matrix.dtype)
    lanes[:count] = matrix[row, d : d + count]
    check_span(matrix, d, count)
    return lanes


def check_span(matrix, d, count):
    """Compiled code would go past the row, into other numbers."""
    if d < 0 or d + count > matrix.shape[1]:
        raise IndexError(f"coordinates {d}:{d + count} of {matrix.shape[1]}")


def store(matrix, row, d, count, lanes):
    check_span(matrix, d, count)
    matrix[row, d : d + count] = lanes[:count]


def spread(matrix, value):
    return np.full(lane_count(matrix), value, matrix.dtype)


def multiply_add(left, right, addend):
    return left * right + addend


magnitude, root, total = np.abs, np.sqrt, np.sum
