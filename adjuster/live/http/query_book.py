"""From what a user typed to a query with vectors: known ones, stored ones, or encoded now."""

import hashlib
from collections.abc import Iterable
from typing import Protocol

from adjuster.host_rows import row_faults
from adjuster.index import SearchIndexInfo
from adjuster.live.storage.records import Query, Rows
from adjuster.live.storage.store import WorkerStore

ID_LENGTH = 24


class Encoder(Protocol):
    """Whatever turns a text into the vectors of a query."""

    def query_vectors(self, text: str) -> Rows:
        """The parts of a query, shape ``(parts, D)``.

        Raises:
            ValueError: If the model knows nothing of the text.
        """


class QueryBook:
    """Gives every search its query: one text is one query, for as long as the store lives.

    Args:
        info: Metric and dimensions of the index.
        known: Queries that keep the names they have, found by text or else by name.
        encoder: For texts that are new; None where clients send vectors.
    """

    def __init__(
        self,
        info: SearchIndexInfo,
        known: Iterable[Query] = (),
        encoder: Encoder | None = None,
    ) -> None:
        self.info, self.encoder = info, encoder
        queries = list(known)
        self._known = {query.query_id: query for query in queries}
        self._known |= {query.text: query for query in queries if query.text}

    def find(self, store: WorkerStore, text: str, vectors: Rows | None = None) -> Query:
        """The query of a search.

        A text that the store has seen keeps the vectors that it had then, whatever the encoder
        says now: what was learnt of it speaks of those.

        Args:
            store: Where earlier queries are.
            text: What the user typed.
            vectors: Shape ``(parts, D)``, where the client has them.

        Raises:
            ValueError: If the vectors cannot be compared, or there are none to be had.
        """
        if vectors is not None:
            data = f"{vectors.dtype}\0".encode() + vectors.tobytes()
            return self._checked(Query(_name("v", text, data), vectors, text))
        if text in self._known:
            return self._known[text]
        name = _name("q", text)
        stored = store.queries([name])
        if name in stored:
            return Query(name, stored[name], text)
        if self.encoder is None:
            raise ValueError(
                f"search_query {text!r:.80} is not known here, and this server has no encoder. "
                "Send its vector as query_vector."
            )
        return self._checked(Query(name, self.encoder.query_vectors(text), text))

    def _checked(self, query: Query) -> Query:
        rows = query.vectors
        if rows.shape[1] != self.info.dimensions:
            raise ValueError(
                f"query_vector must have {self.info.dimensions} numbers a part, "
                f"got {rows.shape[1]}."
            )
        for is_bad, sentence in row_faults(rows, self.info):
            if is_bad.any():
                raise ValueError(f"query_vector {sentence}")
        return query


def _name(kind: str, text: str, data: bytes = b"") -> str:
    """The name of a query that is known by its content alone.

    Example:
        >>> _name("q", "red shoes")
        'q-61959b3a303f52c5dd5ddc4c'
    """
    content = text.encode() + (b"\0" + data if data else b"")
    return f"{kind}-{hashlib.sha256(content).hexdigest()[:ID_LENGTH]}"
