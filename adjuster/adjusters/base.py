"""What every adjuster is: sessions in, copies with new vectors out."""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from inspect import signature
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from adjuster.adjusters.answers import Answers, no_collection
from adjuster.adjusters.host_copies import device_of, stack_tensors
from adjuster.config import AdjusterConfig
from adjuster.feedback import FeedbackBatch
from adjuster.host_batch import HostFeedback
from adjuster.index import SearchIndexInfo


class VectorsAdjuster(ABC):
    """Adjusts the vectors of clicked and unclicked objects; the hook a plugin host calls.

    Attributes:
        skipped: Reason → number of sessions that the last call could not learn from.
    """

    skipped: dict[str, int]

    @abstractmethod
    def adjust_vectors(self, data_for_improvement: Sequence[Any]) -> list[Any]:
        """Adjust the vectors of a batch of sessions.

        Args:
            data_for_improvement: Objects with ``session_id``, ``query.vector``,
                ``clicked_elements`` and ``non_clicked_elements``, each element with ``id``,
                ``vector`` of shape ``(parts, D)`` (a torch tensor or a NumPy array),
                ``is_average`` and ``user_id``: an `ImprovementInput` or a host's own class.

        Returns:
            Copies in the same order; only their elements' vectors differ, in type, dtype and
            device as they came. The input is not changed.

        Raises:
            ValueError: Naming session, object and field of what cannot be used.
        """


class BatchAdjuster(VectorsAdjuster):
    """An adjuster whose arithmetic takes the flat form.

    Sessions that show the same object of the same owner adjust it together, and all get the same
    new vector. Padding rows are left alone. New tensors are views of one memory, or of two,
    which stays as long as any of them does; no two of them overlap.

    Args:
        search_index_info: The index that the vectors live in, ours or a host's own class.
        term_weight: ``session`` or ``impression``.
    """

    def __init__(self, search_index_info: Any, *, term_weight: str = "session") -> None:
        self.search_index_info = SearchIndexInfo.of(search_index_info)
        self.term_weight = term_weight
        self.skipped = {}

    @abstractmethod
    def adjust_batch(self, batch: FeedbackBatch) -> NDArray[np.floating]:
        """New vectors of a batch's parts, shape and dtype of ``batch.vectors``, unshared."""

    def adjust_vectors(self, data_for_improvement: Sequence[Any]) -> list[Any]:
        """See `VectorsAdjuster.adjust_vectors`."""
        feedback = HostFeedback(
            data_for_improvement, self.search_index_info, self.term_weight, stack_tensors
        )
        answer = self._answer(feedback, device_of(data_for_improvement))
        self.skipped = feedback.shown.skipped
        return answer

    def _answer(self, feedback: HostFeedback, device: torch.device) -> list[Any]:
        """Copies of sessions, whose vectors came from `device`, with new ones."""
        with no_collection():
            batch = feedback.gathered()
        adjusted = self._adjust(batch, device)
        with no_collection():
            answers = Answers(feedback.sessions, feedback.shown, batch.object_offsets, adjusted)
        return answers.fill()

    def _adjust(self, batch: FeedbackBatch, device: torch.device) -> NDArray[np.floating]:
        """Adjust a batch whose vectors came from `device`."""
        return self.adjust_batch(batch)


def constructor_settings(adjuster: type, config: AdjusterConfig) -> dict[str, Any]:
    """The fields of a configuration that an adjuster's constructor takes, by name."""
    names = list(signature(adjuster).parameters)
    return {name: getattr(config, name) for name in names if hasattr(config, name)}
