"""What every adjuster is: sessions in, copies with new vectors out."""

import copy
from abc import ABC, abstractmethod
from collections.abc import Sequence
from inspect import signature
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from adjuster.config import AdjusterConfig
from adjuster.feedback import FeedbackBatch, build_batch
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
    new vector. Padding rows are left alone.

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
        sessions = data_for_improvement
        layout = build_batch(sessions, self.search_index_info, term_weight=self.term_weight)
        self.skipped = layout.skipped
        adjusted = self._adjust(layout.batch, device_of(sessions))
        starts = layout.batch.object_offsets
        return [
            with_rows(session, [adjusted[starts[place] :][:n_rows] for place, n_rows in places])
            for session, places in zip(sessions, layout.places, strict=True)
        ]

    def _adjust(self, batch: FeedbackBatch, device: torch.device) -> NDArray[np.floating]:
        """Adjust a batch whose vectors came from `device`."""
        return self.adjust_batch(batch)


def constructor_settings(adjuster: type, config: AdjusterConfig) -> dict[str, Any]:
    """The fields of a configuration that an adjuster's constructor takes, by name."""
    names = list(signature(adjuster).parameters)
    return {name: getattr(config, name) for name in names if hasattr(config, name)}


def device_of(sessions: Sequence[Any]) -> torch.device:
    """Where the first tensor among the elements lives; the CPU if there is none."""
    for session in sessions:
        for element in (*session.clicked_elements, *session.non_clicked_elements):
            if isinstance(element.vector, torch.Tensor):
                return element.vector.device
    return torch.device("cpu")


def with_rows(session: Any, rows: Sequence[NDArray[np.floating]]) -> Any:
    """A copy of a session whose elements' first rows are these, clicked elements first."""
    n_clicked = len(session.clicked_elements)
    return _changed(
        session,
        clicked_elements=_all_with(session.clicked_elements, rows[:n_clicked]),
        non_clicked_elements=_all_with(session.non_clicked_elements, rows[n_clicked:]),
    )


def _all_with(elements: Sequence[Any], rows: Sequence[NDArray[np.floating]]) -> list[Any]:
    return [
        _changed(element, vector=_like(element.vector, mine))
        for element, mine in zip(elements, rows, strict=True)
    ]


def _like(vector: Any, rows: NDArray[np.floating]) -> Any:
    """A copy of a vector with its first rows replaced; type, dtype and device stay."""
    if isinstance(vector, torch.Tensor):
        moved = torch.from_numpy(rows.copy()).to(vector)
        padding = vector.detach()[len(rows) :]
        return torch.cat([moved, padding]) if len(padding) else moved
    return np.concatenate([rows.astype(vector.dtype), vector[len(rows) :]])


def _changed(original: Any, **values: Any) -> Any:
    """A shallow copy with these attributes; works on frozen classes of a host, too."""
    changed = copy.copy(original)
    for name, value in values.items():
        object.__setattr__(changed, name, value)
    return changed
