"""`PublishedAdjuster`: the published semantics, for whoever runs them today."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from adjuster.adjusters.base import VectorsAdjuster
from adjuster.adjusters.host_copies import device_of, with_rows
from adjuster.config import AdjusterConfig
from adjuster.fused_engine.published_kernel import adjust_group
from adjuster.host_rows import check_distinct, check_rows, to_array, vector_rows
from adjuster.index import MetricType, SearchIndexInfo
from adjuster.scale import in_range, shifted, shifts_of
from adjuster.torch_engine.published_autograd import adjust_group_with_autograd


class PublishedAdjuster(VectorsAdjuster):
    """Computes what the published adjuster computes, which differs from its documentation.

    Similarities of a group of equally shaped sessions have the shape (B sessions, N query parts,
    K objects, M parts). They are pooled over the K *objects* of a session, not over the parts of
    an object, with weights exp(-s / temperature), so that under ``min`` the *least* similar
    object counts most; ``avg`` is the mean over the objects. The loss is
    -mean(clicked³) + mean(unclicked³) over all that is left, (B, N, M). Each session adjusts
    copies of its own: two sessions of one owner that share an object return two vectors for it,
    and whoever stores them keeps the last. Parts that pad an object to the length of others
    count as data: rows past `is_average` are adjusted, and an object with fewer rows than others
    of its session is padded with zero rows, which take part and are then dropped.

    Sessions are grouped by shape, each group one call of AdamW with fresh state. Sessions with
    nothing clicked or nothing unclicked are skipped: they come back unchanged and are counted in
    `skipped`.

    Args:
        search_index_info: The index that the vectors live in, ours or a host's own class.
        adjustment_rate: Step size of AdamW, > 0 and <= 10.
        num_iterations: Steps a call, >= 0; 0 changes nothing.
        softmin_temperature: > 0, in units of similarity.
        engine: ``torch``, as published; ``fused`` is the CPU kernel, with the same numbers;
            ``auto`` is the kernel on CPU.

    Raises:
        ValueError: Naming every setting that is out of range.

    Example:
        >>> from adjuster import ImprovementElement, ImprovementInput, SearchIndexInfo
        >>> session = ImprovementInput(
        ...     session_id="s1",
        ...     query=ImprovementElement("q", torch.tensor([[0.0, 1.0]])),
        ...     clicked_elements=[ImprovementElement("a", torch.tensor([[1.0, 1.0]]))],
        ...     non_clicked_elements=[],
        ... )
        >>> adjuster = PublishedAdjuster(SearchIndexInfo(2, "cosine", "min"))
        >>> adjuster.adjust_vectors([session])[0].clicked_elements[0].vector
        tensor([[1., 1.]])
        >>> adjuster.skipped
        {'no_unclicked_object': 1}
    """

    def __init__(
        self,
        search_index_info: Any,
        adjustment_rate: float = AdjusterConfig.adjustment_rate,
        num_iterations: int = AdjusterConfig.num_iterations,
        softmin_temperature: float = AdjusterConfig.softmin_temperature,
        *,
        engine: str = "torch",
    ) -> None:
        self.search_index_info = SearchIndexInfo.of(search_index_info)
        self.config = AdjusterConfig(
            semantics="published",
            engine=engine,
            adjustment_rate=adjustment_rate,
            num_iterations=num_iterations,
            softmin_temperature=softmin_temperature,
        )
        self.skipped = {}

    def adjust_vectors(self, data_for_improvement: Sequence[Any]) -> list[Any]:
        """See `VectorsAdjuster.adjust_vectors`."""
        sessions = [_Arrays.of(session, self.search_index_info) for session in data_for_improvement]
        self.skipped = {}
        groups: dict[tuple[object, ...], list[int]] = {}
        for place, session in enumerate(sessions):
            if session.skip:
                self.skipped[session.skip] = self.skipped.get(session.skip, 0) + 1
            else:
                groups.setdefault(session.shape, []).append(place)
        adjusted = list(data_for_improvement)
        device = device_of(data_for_improvement)
        for places in groups.values():
            moved = self._adjust_group([sessions[place] for place in places], device)
            for place, rows in zip(places, moved, strict=True):
                adjusted[place] = with_rows(data_for_improvement[place], rows)
        for place, session in enumerate(sessions):
            if session.skip:
                adjusted[place] = with_rows(data_for_improvement[place], session.elements)
        return adjusted

    def _adjust_group(
        self, group: "list[_Arrays]", device: torch.device
    ) -> list[list[NDArray[np.floating]]]:
        """Adjust sessions of one shape; the new rows of each one's elements, clicked first."""
        queries, shown, shifts = self._in_range(group)
        if self.config.engine == "fused" or (self.config.engine == "auto" and device.type == "cpu"):
            moved = adjust_group(
                queries, shown, group[0].n_clicked, self.search_index_info, self.config
            )
        else:
            moved = adjust_group_with_autograd(
                torch.tensor(queries, device=device),
                torch.tensor(shown, device=device),
                group[0].n_clicked,
                self.search_index_info,
                self.config,
            ).numpy(force=True)
        moved = shifted(moved.reshape(len(shifts), -1), -shifts).reshape(moved.shape)
        return [
            [rows[: len(mine)] for rows, mine in zip(block, session.elements, strict=True)]
            for block, session in zip(moved, group, strict=True)
        ]

    def _in_range(
        self, group: "list[_Arrays]"
    ) -> tuple[NDArray[np.floating], NDArray[np.floating], NDArray[np.intc]]:
        """Queries (B, N, D) and shown vectors (B, K, M, D) that can be compared, and the shifts."""
        queries = np.stack([session.query for session in group])
        shown = np.stack([session.padded() for session in group])
        rows, dimensions = shown.reshape(-1, shown.shape[-1]), shown.shape[-1]
        if self.search_index_info.metric_type is not MetricType.COSINE:
            return queries, shown, np.zeros(len(rows), np.intc)
        shifts = shifts_of(rows)
        asked = in_range(queries.reshape(-1, dimensions), MetricType.COSINE)
        return asked.reshape(queries.shape), shifted(rows, shifts).reshape(shown.shape), shifts


@dataclass(frozen=True)
class _Arrays:
    """One session as arrays: rows of its query and of its elements, clicked first."""

    query: NDArray[np.floating]
    elements: list[NDArray[np.floating]]
    n_clicked: int

    @classmethod
    def of(cls, session: Any, index: SearchIndexInfo) -> "_Arrays":
        check_distinct(session)
        elements = [session.query, *session.clicked_elements, *session.non_clicked_elements]
        query, *arrays = _all_rows(session, elements, index)
        dtype = np.result_type(*arrays) if arrays else query.dtype
        return cls(query.astype(dtype, copy=False), arrays, len(session.clicked_elements))

    @property
    def skip(self) -> str | None:
        """Why the session cannot be taken, or None."""
        if not self.n_clicked:
            return "no_clicked_object"
        return "no_unclicked_object" if self.n_clicked == len(self.elements) else None

    @property
    def shape(self) -> tuple[object, ...]:
        """What sessions that share a call have in common."""
        n_parts = max(len(rows) for rows in self.elements)
        return len(self.query), self.n_clicked, len(self.elements), n_parts, self.query.dtype.str

    def padded(self) -> NDArray[np.floating]:
        """The elements as one array, shape ``(elements, most parts, D)``, zero rows added."""
        n_parts = max(len(rows) for rows in self.elements)
        stacked = np.zeros((len(self.elements), n_parts, self.query.shape[1]), self.query.dtype)
        for place, rows in enumerate(self.elements):
            stacked[place, : len(rows)] = rows
        return stacked


def _all_rows(
    session: Any, elements: Sequence[Any], index: SearchIndexInfo
) -> list[NDArray[np.floating]]:
    """Each element's rows, padding included, which must be finite but may be zero."""
    sources = [(session, element) for element in elements]
    rows = [vector_rows(session, element, index) for element in elements]
    check_rows(np.concatenate(rows), [len(mine) for mine in rows], sources, index)
    padded = [to_array(element.vector) for element in elements]
    if sum(map(len, padded)) > sum(map(len, rows)):
        lengths = [len(mine) for mine in padded]
        check_rows(np.concatenate(padded), lengths, sources, index, zeros_allowed=True)
    return padded
