"""Items and queries of an import: texts are encoded, vectors checked, rows written as they come."""

from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from numpy.typing import NDArray

from adjuster.index import MetricAggregationType, MetricType, SearchIndexInfo
from experiments.data.encoders import TextEncoder, make_encoder
from experiments.data.faults import Faults, Got
from experiments.data.folder import table_writer, vector_column
from experiments.data.schema import TABLES
from experiments.data.staging import hashes
from experiments.data.texts import split_text
from experiments.data.validation import check_vectors
from experiments.data_config import EncoderConfig, IngestConfig


class LazyEncoder:
    """An encoder that is loaded when the first text needs it."""

    def __init__(self, config: EncoderConfig) -> None:
        self._config = config
        self._encoder: TextEncoder | None = None

    def get(self) -> TextEncoder:
        """The encoder."""
        if self._encoder is None:
            self._encoder = make_encoder(self._config.name, self._config.model)
        return self._encoder


class VectorIntake:
    """Writes `items.parquet` and `queries.parquet`, and knows which ids they hold.

    The first vector seen decides the dimension that all must have.

    Args:
        folder: Where to write.
        config: Encoder, parts and metric.
    """

    def __init__(self, folder: Path, config: IngestConfig) -> None:
        self.dimensions: int | None = None
        self._folder, self._config = folder, config
        self._encoder = LazyEncoder(config.encoder)
        self._writers: dict[str, pq.ParquetWriter] = {}
        self._seen: dict[str, set[int]] = {"items": set(), "queries": set()}
        self._ids: dict[str, list[pa.Array]] = {"items": [], "queries": []}

    def add(self, table: str, rows: pa.Table, faults: Faults, file: str) -> NDArray[np.bool_]:
        """Check and write rows.

        Args:
            table: ``items`` or ``queries``.
            rows: The id, and ``vector`` or ``text`` or ``body`` (a long text, split into parts);
                for vectors of several parts, ``part_id``.
            faults: Where to report.
            file: Where the rows come from.

        Returns:
            Shape ``(n_rows,)``: rows that were written.
        """
        good = np.ones(rows.num_rows, bool)
        _drop(good, self._repeated(table, rows, faults, file))
        if "vector" in rows.column_names:
            vectors, owner = self._given(rows, good, faults, file)
            average = _flags(rows)[owner]
        else:
            vectors, owner, average = self._encoded(table, rows, good, faults, file)
        self._write(table, rows, vectors, owner, average)
        self._remember(table, rows, good)
        return good

    def ids(self, table: str) -> pa.Array:
        """The distinct ids written so far."""
        chunks = self._ids[table] or [pa.array([], pa.string())]
        return pc.unique(pa.chunked_array(chunks)).cast(pa.large_string())

    def index(self) -> SearchIndexInfo:
        """Dimensions, metric and pooling of what was written."""
        config = self._config
        return SearchIndexInfo(
            self.dimensions or 1,
            MetricType(config.metric_type),
            MetricAggregationType(config.metric_aggregation_type),
        )

    def close(self) -> None:
        """Finish the files; one without rows is written too."""
        for table in ("items", "queries"):
            self._writer(table).close()

    def _writer(self, table: str) -> pq.ParquetWriter:
        if table not in self._writers:
            self._writers[table] = table_writer(self._folder, table, self._schema(table))
        return self._writers[table]

    def _schema(self, table: str) -> pa.Schema:
        vector = pa.list_(pa.float32(), self.dimensions or 1)
        kinds = {"id": pa.string(), "text": pa.string(), "flag": pa.bool_(), "vector": vector}
        return pa.schema([(column.name, kinds[column.kind]) for column in TABLES[table]])

    def _repeated(self, table: str, rows: pa.Table, faults: Faults, file: str) -> NDArray[np.bool_]:
        """Rows whose id (or id and part) was seen before."""
        marks = _row_marks(rows)
        seen = self._seen[table]
        repeated = np.zeros(len(marks), bool)
        if "vector" in rows.column_names and "part_id" not in rows.column_names:
            return repeated
        for row, mark in enumerate(marks.tolist()):
            repeated[row] = mark in seen
            seen.add(mark)
        name = rows.column_names[0]
        what = f"column {name} must stand once"
        if "part_id" in rows.column_names:
            what = f"columns {name} and part_id must stand once"
        faults.add_rows(file, what, repeated, lambda row: rows[name][row].as_py())
        return repeated

    def _given(
        self, rows: pa.Table, good: NDArray[np.bool_], faults: Faults, file: str
    ) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
        if self.dimensions is None:
            lengths = pc.list_value_length(rows["vector"]).drop_null()
            self.dimensions = max(int(lengths[0].as_py()), 1) if len(lengths) else 1
        n_before = len(faults.found)
        cosine = self._config.metric_type == "cosine"
        vectors = check_vectors(file, rows, self.dimensions, cosine=cosine, faults=faults)
        for fault in faults.found[n_before:]:
            good[fault.rows] = False
        owner = np.flatnonzero(good)
        if vectors is not None:
            return vectors[owner], owner
        flat = rows["vector"].take(pa.array(owner)).combine_chunks().flatten()
        matrix = flat.to_numpy(zero_copy_only=False).astype(np.float32)
        return matrix.reshape(len(owner), self.dimensions), owner

    def _encoded(
        self, table: str, rows: pa.Table, good: NDArray[np.bool_], faults: Faults, file: str
    ) -> tuple[NDArray[np.float32], NDArray[np.int64], NDArray[np.bool_]]:
        encoder = self._encoder.get()
        self.dimensions = self.dimensions or encoder.dimensions
        if self.dimensions != encoder.dimensions:
            faults.add_file(
                file,
                f"texts become vectors of {encoder.dimensions} numbers, which cannot be compared "
                f"with the {self.dimensions} of the vectors given; give vectors for {table} too, "
                "or choose the model that made the others (encoder.model)",
            )
            good[:] = False
            return np.empty((0, self.dimensions), np.float32), np.empty(0, np.int64), good[:0]
        texts, owner = self._parts(table, rows, good, encoder)
        vectors = encoder.encode_known(texts)
        known = vectors.any(axis=1)
        empty = good.copy()
        empty[owner[known]] = False
        faults.add_rows(
            file,
            "a text must hold at least one token that the model knows",
            empty,
            lambda row: Got(repr(_text_of(rows, row))[:80]),
        )
        _drop(good, empty)
        return self._with_average(table, vectors[known], owner[known])

    def _parts(
        self, table: str, rows: pa.Table, good: NDArray[np.bool_], encoder: TextEncoder
    ) -> tuple[list[str], NDArray[np.int64]]:
        """The texts of all parts, and the row of each."""
        texts, owner, sizes = [], [], self._config.parts
        for row in np.flatnonzero(good).tolist():
            for name in _TEXT_COLUMNS:
                if name not in rows.column_names:
                    continue
                text = rows[name][row].as_py() or ""
                if table == "queries":
                    mine = [text] if text else []
                else:
                    mine = split_text(text, sizes.max_tokens, sizes.max_parts, encoder.count_tokens)
                texts += mine
                owner += [row] * len(mine)
        return texts, np.array(owner, np.int64)

    def _with_average(
        self, table: str, vectors: NDArray[np.float32], owner: NDArray[np.int64]
    ) -> tuple[NDArray[np.float32], NDArray[np.int64], NDArray[np.bool_]]:
        """Parts and, behind those of an object with several, their mean of unit length."""
        average = np.zeros(len(owner), bool)
        if table == "queries" or not self._config.parts.average or not len(owner):
            return vectors, owner, average
        rows, first, n_parts = np.unique(owner, return_index=True, return_counts=True)
        means = np.add.reduceat(vectors, first, axis=0)
        lengths = np.linalg.norm(means, axis=1)
        several = (n_parts > 1) & (lengths > 0)
        means = means[several] / lengths[several, None]
        owner = np.concatenate([owner, rows[several]])
        order = np.argsort(owner, kind="stable")
        average = np.concatenate([average, np.ones(int(several.sum()), bool)])
        return np.concatenate([vectors, means])[order], owner[order], average[order]

    def _write(
        self,
        table: str,
        rows: pa.Table,
        vectors: NDArray[np.float32],
        owner: NDArray[np.int64],
        average: NDArray[np.bool_],
    ) -> None:
        if not len(owner):
            return
        name, text = rows.column_names[0], TABLES[table][-1].name
        source = text if text in rows.column_names else None
        place = pa.array(owner)
        titles = rows[source].take(place) if source else pa.nulls(len(owner), pa.string())
        columns = {name: rows[name].take(place), "vector": vector_column(vectors), text: titles}
        if table == "items":
            columns["is_average"] = pa.array(average)
        schema = self._schema(table)
        out = pa.table([columns[field.name] for field in schema], schema=schema)
        self._writer(table).write_table(out)

    def _remember(self, table: str, rows: pa.Table, good: NDArray[np.bool_]) -> None:
        self._ids[table].append(pc.unique(rows.column(0).filter(pa.array(good)).combine_chunks()))
        if len(self._ids[table]) > 256:
            self._ids[table] = [self.ids(table).cast(pa.string())]


_TEXT_COLUMNS = ("text", "title", "body")
"""Columns that are encoded, each as parts of its own: of a query its text, of an item the rest."""


def _text_of(rows: pa.Table, row: int) -> str:
    names = [name for name in _TEXT_COLUMNS if name in rows.column_names]
    return " ".join(rows[name][row].as_py() or "" for name in names)


def _row_marks(rows: pa.Table) -> NDArray[np.uint64]:
    marks = hashes(rows.column(0))
    if "part_id" in rows.column_names:
        marks = marks * np.uint64(0x9E3779B97F4A7C15) + hashes(rows["part_id"])
    return marks


def _flags(rows: pa.Table) -> NDArray[np.bool_]:
    if "is_average" not in rows.column_names:
        return np.zeros(rows.num_rows, bool)
    return pc.fill_null(rows["is_average"], False).to_numpy().astype(bool)


def _drop(good: NDArray[np.bool_], bad: NDArray[np.bool_]) -> None:
    good &= ~bad
