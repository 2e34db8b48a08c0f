"""Rows read where they lie: from an address in memory to a matrix that compiled code takes."""

from typing import Any

import numpy as np
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic
from numba.np.arrayobj import populate_array
from numpy.typing import NDArray


def row_addresses(rows: NDArray[Any], first: NDArray[np.int64]) -> NDArray[np.int64]:
    """Where rows of a C-contiguous matrix begin; only good while the matrix is held.

    Args:
        rows: Shape ``(n, D)``.
        first: Numbers of rows.

    Example:
        >>> rows = np.zeros((3, 2), np.float32)
        >>> (row_addresses(rows, np.array([0, 2])) - rows.ctypes.data).tolist()
        [0, 16]
    """
    addresses: NDArray[np.int64] = rows.ctypes.data + first * rows.strides[0]
    return addresses


@intrinsic
def rows_at(typing_context, like, address, n_rows):
    """The matrix of `n_rows` rows at an address, of the type and the columns of `like`."""

    def make(context, builder, signature, arguments):
        kind = signature.args[0]
        pattern = context.make_array(kind)(context, builder, arguments[0])
        rows = context.make_array(kind)(context, builder)
        columns = cgutils.unpack_tuple(builder, pattern.shape, 2)[1]
        populate_array(
            rows,
            data=builder.inttoptr(arguments[1], pattern.data.type),
            shape=[arguments[2], columns],
            strides=cgutils.unpack_tuple(builder, pattern.strides, 2),
            itemsize=pattern.itemsize,
            meminfo=None,
        )
        return rows._getvalue()

    return like(like, types.int64, types.int64), make
