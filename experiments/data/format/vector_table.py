"""Objects or queries with the vectors of their parts, grouped by id."""

from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from adjuster.ragged import offsets_of
from experiments.data.format.validation import encode, find


@dataclass(frozen=True)
class VectorTable:
    """Objects or queries: ids in order, and the vectors of their parts.

    Args:
        ids: The distinct ids, sorted.
        offsets: Shape ``(n + 1,)``, into `vectors`.
        vectors: Shape ``(n_parts, D)``; the parts of an id in the order of their rows.
        is_average: Shape ``(n_parts,)``.
        texts: Shape ``(n,)``: title or text, "" where unknown.
    """

    ids: pa.Array
    offsets: NDArray[np.int64]
    vectors: NDArray[np.float32]
    is_average: NDArray[np.bool_]
    texts: NDArray[np.object_]


def build_vector_table(data: pa.Table, vectors: NDArray[np.float32], text: str) -> VectorTable:
    """Group the rows of items or queries by id.

    Args:
        data: The table; its first column is the id. Rows with an empty id are at fault and the
            result is then only good for its `ids`.
        vectors: Shape ``(n_rows, D)``.
        text: Column of the title or text.
    """
    ids = sorted_ids(data.column(0))
    code = find(data.column(0), ids)
    order = np.argsort(code, kind="stable")
    in_order = bool((order == np.arange(len(order))).all())
    return VectorTable(
        ids=ids,
        offsets=offsets_of(np.bincount(code[code >= 0], minlength=len(ids))),
        vectors=vectors if in_order else vectors[order],
        is_average=read_flags(data, "is_average")[order],
        texts=_first_texts(data, text, code, len(ids)),
    )


def _first_texts(
    data: pa.Table, column: str, code: NDArray[np.int64], n_ids: int
) -> NDArray[np.object_]:
    texts = np.full(n_ids, "", object)
    if column in data.column_names and not pa.types.is_null(data[column].type):
        known = np.flatnonzero(pc.is_valid(data[column]).to_numpy())
        values = data[column].take(pa.array(known)).to_pylist()
        texts[code[known]] = np.array(values, object)
    return texts


def sorted_ids(values: pa.ChunkedArray) -> pa.Array:
    """The distinct non-empty values of a text column, sorted."""
    dictionary, _ = encode(values)
    distinct = pc.unique(dictionary).drop_null()
    return distinct.take(pc.sort_indices(distinct))


def read_flags(data: pa.Table, column: str) -> NDArray[np.bool_]:
    """A column of flags; all false where it is missing."""
    if column not in data.column_names:
        return np.zeros(data.num_rows, bool)
    return data[column].to_numpy().astype(bool)
