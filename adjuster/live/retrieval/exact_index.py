"""The originals in a folder, memory-mapped and searched exactly.

A folder holds ``vectors.npy`` (all parts, objects one after the other in order of their names),
``offsets.npy``, ``squares.npy`` (each part's squared length) and ``index.json`` (names, metric,
pooling). It is written whole or not at all, and only read from then on.
"""

import json
import os
import shutil
from collections.abc import Collection, Iterator, Sequence
from pathlib import Path
from uuid import uuid4

import numpy as np
from numpy.typing import NDArray

from adjuster.fused_engine.batch import query_rows
from adjuster.host_rows import row_faults
from adjuster.index import MetricAggregationType, MetricType, SearchIndexInfo
from adjuster.live.retrieval.nearest import Nearest
from adjuster.live.retrieval.similarity import flat_similarities
from adjuster.live.storage.records import Rows, check_id
from adjuster.live.storage.vector_bytes import type_name
from adjuster.ragged import offsets_of, rows_of
from adjuster.scale import in_range

FORMAT = "1"
ROWS_AT_ONCE = 1 << 16
"""Parts compared in one step, so that memory stays bounded whatever the index holds."""


class ExactIndex:
    """A `NearestOriginals` that compares a query with every object.

    One matrix product over all parts finds the candidates; those that its rounding leaves in doubt
    are compared once more as the replay compares, and ranked by that.

    Args:
        folder: As `write_index` wrote it.

    Raises:
        ValueError: If the folder is none, or its files do not fit each other.
    """

    def __init__(self, folder: Path | str) -> None:
        self.folder = Path(folder)
        try:
            described = json.loads((self.folder / "index.json").read_text(encoding="utf-8"))
            self._vectors = _mapped(self.folder / "vectors.npy")
            self._offsets = np.load(self.folder / "offsets.npy")
            self._squares = np.load(self.folder / "squares.npy")
        except (OSError, ValueError) as error:
            raise ValueError(
                f"{folder} must be the folder of an index, and cannot be read: {error}. Write it "
                "anew."
            ) from error
        if described.get("format") != FORMAT:
            raise ValueError(f"{folder}: format must be {FORMAT!r}, got another. Write it anew.")
        self._ids: list[str] = described["object_ids"]
        self._row = {name: row for row, name in enumerate(self._ids)}
        self._info = SearchIndexInfo(
            int(described["dimensions"]), described["metric"], described["pooling"]
        )
        self._check()
        self._longest = float(np.sqrt(self._squares.max(initial=0)))

    def _check(self) -> None:
        n_parts = len(self._vectors)
        fits = (
            self._vectors.shape == (n_parts, self._info.dimensions)
            and self._offsets.shape == (len(self._ids) + 1,)
            and self._offsets[-1] == n_parts == len(self._squares)
        )
        if not fits:
            raise ValueError(f"{self.folder}: its files are not of one index. Write it anew.")

    @property
    def info(self) -> SearchIndexInfo:
        """Dimensions, metric and pooling."""
        return self._info

    @property
    def object_ids(self) -> Sequence[str]:
        """All names, in order."""
        return self._ids

    def __len__(self) -> int:
        return len(self._ids)

    def vectors(self, object_id: str) -> Rows:
        """The parts of an object, shape ``(parts, D)``, not to be written to.

        Raises:
            KeyError: If the index does not hold it.
        """
        row = self._row[object_id]
        return self._vectors[self._offsets[row] : self._offsets[row + 1]]

    def nearest(self, query: Rows, k: int) -> Nearest:
        """See `NearestOriginals.nearest`.

        Raises:
            ValueError: If the query cannot be compared.
        """
        asked = self.checked(query)
        return self._closest(asked, self._candidates(query_rows(asked, self._info), k), k)

    def nearest_of(self, query: Rows, object_ids: Collection[str], k: int) -> Nearest:
        """The closest of some objects, compared and ranked as `nearest` does.

        Args:
            query: Shape ``(parts, D)``.
            object_ids: The objects, each once; the index holds them.
            k: How many, >= 1; fewer come back where there are fewer.

        Raises:
            ValueError: If the query cannot be compared.
        """
        rows = np.array(sorted(map(self._row.__getitem__, object_ids)), np.int64)
        return self._closest(self.checked(query), rows, k)

    def _closest(self, asked: Rows, rows: NDArray[np.int64], k: int) -> Nearest:
        exact = self._exact(asked, rows)
        # Rows stand in the order of their names, so that a stable sort breaks ties by name.
        best = np.argsort(-exact, kind="stable")[:k]
        return Nearest([self._ids[row] for row in rows[best].tolist()], exact[best])

    def checked(self, query: Rows) -> Rows:
        """A query in the type of the originals.

        Raises:
            ValueError: If it cannot be compared.
        """
        if query.ndim != 2 or query.shape[1] != self._info.dimensions or not len(query):
            raise ValueError(
                f"a query must have shape (parts, {self._info.dimensions}) with at least one "
                f"part, got {query.shape}."
            )
        asked: Rows = query.astype(self._vectors.dtype, copy=False)
        for bad, sentence in row_faults(asked, self._info):
            if bad.any():
                raise ValueError(f"a query's vector {sentence}")
        return asked

    def _exact(self, asked: Rows, rows: NDArray[np.int64]) -> NDArray[np.floating]:
        first, last = self._offsets[rows], self._offsets[rows + 1]
        offsets = offsets_of(last - first)
        parts = rows_of(first, np.diff(offsets))
        return flat_similarities(asked, self._vectors[parts], offsets, self._info)

    def _candidates(self, queries: Rows, k: int) -> NDArray[np.int64]:
        """Rows that may be among the k closest, in order: the product's best and all near them."""
        found: list[NDArray[np.int64]] = []
        values: list[NDArray[np.floating]] = []
        least = -np.inf
        for first, last in self._blocks():
            scores, doubt = self._rough(queries, first, last)
            least = max(least, _kth_largest(scores, k) - doubt)
            kept = np.flatnonzero(scores >= least)
            found.append(first + kept)
            values.append(scores[kept])
        scores = np.concatenate(values) if values else np.empty(0)
        rows = np.concatenate(found) if found else np.empty(0, np.int64)
        return rows[scores >= least]

    def _blocks(self) -> Iterator[tuple[int, int]]:
        """Ranges of objects of about `ROWS_AT_ONCE` parts, at least one object each."""
        first = 0
        while first < len(self._ids):
            end = self._offsets[first] + ROWS_AT_ONCE
            last = max(int(np.searchsorted(self._offsets, end, side="right")) - 1, first + 1)
            yield first, last
            first = last

    def _rough(self, queries: Rows, first: int, last: int) -> tuple[NDArray[np.floating], float]:
        """Scores of the objects ``first:last`` by one matrix product, and twice their error.

        Under Euclid with the nearest part the scores are minus the squared distances.

        A sum of D products errs by at most D units of rounding of the lengths' product (Higham,
        *Accuracy and Stability of Numerical Algorithms*, 2002, section 3.1); twice, for this sum
        and the exact one, and with room for the few roundings beside it.
        """
        lo, hi = int(self._offsets[first]), int(self._offsets[last])
        block, squares = self._vectors[lo:hi], self._squares[lo:hi]
        asked = np.einsum("pd,pd->p", queries, queries)
        largest = float(np.sqrt(asked.max()))
        unit = 4 * (self._info.dimensions + 8) * float(np.finfo(block.dtype).eps)
        sims = block @ queries.T  # (parts, query parts)
        if self._info.metric_type is MetricType.COSINE:
            sims *= np.sqrt(np.divide(1, squares, out=np.zeros_like(squares), where=squares > 0))[
                :, None
            ]
            doubt = unit * largest
        elif self._info.metric_type is MetricType.DOT:
            doubt = unit * largest * self._longest
        else:
            sims *= 2
            sims -= squares[:, None]
            sims -= asked
            doubt = unit * (largest + self._longest) ** 2
            if self._info.metric_aggregation_type is MetricAggregationType.AVG:
                sims = -np.sqrt(np.maximum(-sims, 0))
                # The root of an error near 0 is far larger than the error itself.
                doubt = float(np.sqrt(doubt))
        return self._pooled(sims, self._offsets[first : last + 1] - lo), doubt

    def _pooled(self, sims: Rows, offsets: NDArray[np.int64]) -> NDArray[np.floating]:
        """One number an object of similarities, shape ``(n_parts, n_query_parts)``."""
        is_single = len(offsets) - 1 == len(sims)
        if self._info.metric_aggregation_type is MetricAggregationType.MIN:
            parts = sims.max(axis=1) if sims.shape[1] > 1 else sims[:, 0]
            pooled = parts if is_single else np.maximum.reduceat(parts, offsets[:-1])
        else:
            parts = sims.mean(axis=1)
            pooled = np.add.reduceat(parts, offsets[:-1]) / np.diff(offsets)
        return np.asarray(pooled)


def _kth_largest(scores: NDArray[np.floating], k: int) -> float:
    """The k-th largest, -inf where there are not so many."""
    if len(scores) < k:
        return -np.inf
    return float(np.partition(scores, len(scores) - k)[len(scores) - k])


def _mapped(path: Path) -> Rows:
    """A matrix read where it is touched; a plain array to NumPy, which slices those faster."""
    return np.asarray(np.load(path, mmap_mode="r"))


def write_index(
    folder: Path | str,
    object_ids: Sequence[str],
    vectors: Rows,
    offsets: NDArray[np.int64],
    info: SearchIndexInfo,
) -> None:
    """Write the folder of an `ExactIndex`, whole or not at all.

    Args:
        folder: Where; there is nothing yet.
        object_ids: The objects, each once.
        vectors: Shape ``(n_parts, D)``, float32 or float64: their parts, one after the other.
            Under cosine, rows whose squares cannot be computed are kept as `scale` scales them.
        offsets: Shape ``(n_objects + 1,)``.
        info: Metric and pooling.

    Raises:
        FileExistsError: If there is something at `folder`.
        ValueError: If the vectors cannot be searched.
    """
    folder = Path(folder)
    if folder.exists():
        raise FileExistsError(f"{folder} is there already. Choose another place for the index.")
    _check_content(object_ids, vectors, offsets, info)
    order = np.array(
        sorted(range(len(object_ids)), key=lambda row: object_ids[row].encode()), np.int64
    )
    arranged_offsets = offsets_of(np.diff(offsets)[order])
    parts = rows_of(offsets[order], np.diff(arranged_offsets))
    arranged = np.ascontiguousarray(in_range(vectors[parts], info.metric_type))
    described = {
        "format": FORMAT,
        "dimensions": info.dimensions,
        "metric": info.metric_type.value,
        "pooling": info.metric_aggregation_type.value,
        "object_ids": [object_ids[row] for row in order.tolist()],
    }
    folder.parent.mkdir(parents=True, exist_ok=True)
    unfinished = folder.parent / f".{folder.name}-{uuid4().hex}"
    unfinished.mkdir()
    try:
        np.save(unfinished / "vectors.npy", arranged)
        np.save(unfinished / "offsets.npy", arranged_offsets)
        np.save(unfinished / "squares.npy", np.einsum("pd,pd->p", arranged, arranged))
        (unfinished / "index.json").write_text(json.dumps(described), encoding="utf-8")
        os.replace(unfinished, folder)
    except BaseException:
        shutil.rmtree(unfinished, ignore_errors=True)
        raise


def _check_content(
    object_ids: Sequence[str], vectors: Rows, offsets: NDArray[np.int64], info: SearchIndexInfo
) -> None:
    type_name(vectors)
    for name in object_ids:
        check_id("object_id", name)
    if len(set(object_ids)) < len(object_ids):
        raise ValueError("object_ids must differ, got one of them twice.")
    whole = len(offsets) == len(object_ids) + 1 and offsets[0] == 0 and offsets[-1] == len(vectors)
    if not whole or (np.diff(offsets) < 1).any():
        raise ValueError(
            "offsets must give every object at least one part, and each part one object."
        )
    if vectors.ndim != 2 or vectors.shape[1] != info.dimensions:
        raise ValueError(
            f"vectors must have shape (parts, {info.dimensions}), got {vectors.shape}."
        )
    for bad, sentence in row_faults(vectors, info):
        if bad.any():
            row = int(np.searchsorted(offsets, np.argmax(bad), side="right")) - 1
            raise ValueError(f"object {object_ids[row]!r}: its vector {sentence}")
