"""All the feedback so far, for adjusters that start from the original at every tick."""

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from adjuster.feedback import FeedbackBatch, FeedbackLayout
from adjuster.ragged import offsets_of

Rows = NDArray[np.floating]


class FeedbackMemory:
    """What each (owner, object) has learnt: one pair of weights a distinct query.

    Every loss depends on a term only through its query and object, so this is all that has to be
    kept, however many sessions there were.
    """

    def __init__(self) -> None:
        self._queries: dict[bytes, Rows] = {}
        self._terms: dict[tuple[str | None, str], dict[bytes, tuple[float, float]]] = {}

    def extend(self, layout: FeedbackLayout) -> FeedbackBatch:
        """A batch with all earlier feedback on its objects, started from the originals.

        Nothing is remembered yet; call `remember` once the batch has been adjusted.

        Args:
            layout: The new feedback.
        """
        batch = layout.batch
        queries: dict[bytes, int] = {}
        terms: list[dict[int, tuple[float, float]]] = []
        for merged in self._merged(layout).values():
            terms.append(
                {queries.setdefault(query, len(queries)): pair for query, pair in merged.items()}
            )
        known = self._queries | _rows_of(batch)
        rows = [known[query] for query in queries]
        flat = [(query, *pair) for mine in terms for query, pair in mine.items()]
        return replace(
            batch,
            vectors=batch.originals,
            query_vectors=np.concatenate(rows) if rows else batch.query_vectors,
            query_offsets=offsets_of([len(part) for part in rows]),
            term_offsets=offsets_of([len(mine) for mine in terms]),
            term_query=np.array([term[0] for term in flat], np.int64),
            term_clicked=np.array([term[1] for term in flat], np.float64),
            term_unclicked=np.array([term[2] for term in flat], np.float64),
        )

    def remember(self, layout: FeedbackLayout) -> None:
        """Add a batch's feedback to what is known."""
        self._terms |= self._merged(layout)
        self._queries |= _rows_of(layout.batch)

    def _merged(
        self, layout: FeedbackLayout
    ) -> dict[tuple[str | None, str], dict[bytes, tuple[float, float]]]:
        batch = layout.batch
        names = list(_rows_of(batch))
        merged = {}
        for number, key in enumerate(layout.objects):
            mine = dict(self._terms.get(key, {}))
            for j in range(batch.term_offsets[number], batch.term_offsets[number + 1]):
                query = names[batch.term_query[j]]
                clicked, unclicked = mine.get(query, (0.0, 0.0))
                mine[query] = (
                    clicked + float(batch.term_clicked[j]),
                    unclicked + float(batch.term_unclicked[j]),
                )
            merged[key] = mine
        return merged


def _rows_of(batch: FeedbackBatch) -> dict[bytes, Rows]:
    """The batch's queries by their content."""
    edges = zip(batch.query_offsets[:-1], batch.query_offsets[1:], strict=True)
    parts = [batch.query_vectors[first:last] for first, last in edges]
    return {part.tobytes(): part for part in parts}
