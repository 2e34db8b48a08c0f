"""Single sessions of a click log, as an adjuster takes them: for notebooks and questions."""

import numpy as np
from numpy.typing import NDArray

from adjuster.feedback import ImprovementElement, ImprovementInput
from adjuster.ragged import row_sums
from experiments.data.format.click_log import ClickLog


def session_input(log: ClickLog, session: int) -> ImprovementInput:
    """A session with all its events and the original vectors.

    Args:
        log: The click log.
        session: Its index in the log.
    """
    first, last = log.impression_offsets[session : session + 2]
    clicked = log.is_clicked[first:last]
    shown = log.impression_object[first:last]
    query = int(log.session_query[session])
    rows = slice(log.query_offsets[query], log.query_offsets[query + 1])
    return ImprovementInput(
        session_id=str(log.session_ids[session]),
        query=ImprovementElement(str(log.query_ids[query]), log.query_vectors[rows]),
        clicked_elements=[_element(log, place) for place in shown[clicked]],
        non_clicked_elements=[_element(log, place) for place in shown[~clicked]],
    )


def sessions_to_learn_from(log: ClickLog) -> NDArray[np.int64]:
    """Sessions with something clicked and something passed over, in order of time."""
    n_clicked = row_sums(log.is_clicked, log.impression_offsets)
    return np.flatnonzero((n_clicked > 0) & (n_clicked < np.diff(log.impression_offsets)))


def _element(log: ClickLog, place: int) -> ImprovementElement:
    rows = slice(log.object_offsets[place], log.object_offsets[place + 1])
    return ImprovementElement(str(log.object_ids[place]), log.object_vectors[rows])
