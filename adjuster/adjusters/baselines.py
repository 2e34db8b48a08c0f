"""What an adjuster must beat: doing nothing, and Rocchio's feedback."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from adjuster.adjusters.base import BatchAdjuster, VectorsAdjuster
from adjuster.adjusters.host_copies import with_rows
from adjuster.feedback import FeedbackBatch
from adjuster.host_rows import to_array
from adjuster.index import SearchIndexInfo
from adjuster.rocchio import RocchioWeights, rocchio_batch


class NoAdjustment(VectorsAdjuster):
    """Returns every session as it came, in copies.

    Args:
        search_index_info: Taken so that every adjuster is built alike.
    """

    def __init__(self, search_index_info: Any) -> None:
        self.search_index_info = SearchIndexInfo.of(search_index_info)
        self.skipped = {}

    def adjust_vectors(self, data_for_improvement: Sequence[Any]) -> list[Any]:
        """See `VectorsAdjuster.adjust_vectors`."""
        return [
            with_rows(
                session,
                [
                    to_array(element.vector)
                    for element in (*session.clicked_elements, *session.non_clicked_elements)
                ],
            )
            for session in data_for_improvement
        ]


class Rocchio(BatchAdjuster):
    """Rocchio's relevance feedback behind the plugin hook; see `rocchio_batch`.

    Args:
        search_index_info: The index that the vectors live in, ours or a host's own class.
        original: Weight of the object's own vector, >= 0.
        clicked: Weight of the queries it was clicked for, >= 0.
        unclicked: Weight of the queries it was passed over for, >= 0.
        term_weight: ``session`` or ``impression``: how a session's queries are weighted.

    Example:
        >>> Rocchio(SearchIndexInfo(3)).weights
        RocchioWeights(original=1.0, clicked=0.75, unclicked=0.15)
    """

    def __init__(
        self,
        search_index_info: Any,
        original: float = RocchioWeights.original,
        clicked: float = RocchioWeights.clicked,
        unclicked: float = RocchioWeights.unclicked,
        *,
        term_weight: str = "session",
    ) -> None:
        super().__init__(search_index_info, term_weight=term_weight)
        self.weights = RocchioWeights(original, clicked, unclicked)

    def adjust_batch(self, batch: FeedbackBatch) -> NDArray[np.floating]:
        """See `rocchio_batch`."""
        return rocchio_batch(batch, self.search_index_info, self.weights)
