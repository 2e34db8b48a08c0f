"""Positions of a log that knows an order only: numbered anew, each object once in a session."""

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from experiments.data.format.ids import encode


def numbered(impressions: pa.Table) -> pa.Table:
    """Number each session's impressions 0, 1, 2 … in order of position, then of their rows.

    Of an object that stands several times in a session the first one stays.

    Args:
        impressions: Rows as they are staged.

    Returns:
        The rows that stay, with their new positions.
    """
    _, session = encode(impressions["session_id"])
    objects, shown = encode(impressions["object_id"])
    position = pc.fill_null(impressions["position"], 0).to_numpy()
    order = np.lexsort((np.arange(len(session)), position, session))
    pair = (session * (len(objects) + 1) + shown)[order]
    kept = order[np.sort(np.unique(pair, return_index=True)[1])]
    owner = session[kept]
    first = np.flatnonzero(np.diff(owner, prepend=-1) != 0)
    number = np.arange(len(owner)) - np.repeat(first, np.diff(np.append(first, len(owner))))
    column = impressions.schema.get_field_index("position")
    return impressions.take(pa.array(kept)).set_column(
        column, impressions.schema.field("position"), pa.array(number, pa.int64())
    )
