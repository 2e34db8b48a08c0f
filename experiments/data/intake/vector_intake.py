"""Items and queries of an import: texts are encoded, vectors checked, rows written as they come."""

from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from adjuster.index import MetricAggregationType, MetricType, SearchIndexInfo
from experiments.common.parquet_file import ParquetFileWriter
from experiments.config.data import IngestConfig
from experiments.data.format.faults import Faults, Got
from experiments.data.format.folder import table_writer, vector_column
from experiments.data.format.ids import hashes
from experiments.data.format.schema import TABLES
from experiments.data.format.validation import check_vectors
from experiments.data.texts.parts import Parts, TextParts, text_of


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
        self._texts = TextParts(config.encoder, config.parts)
        self._writers: dict[str, ParquetFileWriter] = {}
        self._seen: dict[str, set[int]] = {"items": set(), "queries": set()}
        self._with_text: dict[str, set[int]] = {"items": set(), "queries": set()}
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
            parts = self._given(rows, good, faults, file)
        else:
            parts = self._encoded(table, rows, good, faults, file)
        self._write(table, rows, parts)
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

    def _writer(self, table: str) -> ParquetFileWriter:
        if table not in self._writers:
            self._writers[table] = table_writer(self._folder, table, self._schema(table))
        return self._writers[table]

    def _schema(self, table: str) -> pa.Schema:
        vector = pa.list_(pa.float32(), self.dimensions or 1)
        kinds = {"id": pa.string(), "text": pa.string(), "flag": pa.bool_(), "vector": vector}
        return pa.schema([(column.name, kinds[column.kind]) for column in TABLES[table]])

    def _repeated(self, table: str, rows: pa.Table, faults: Faults, file: str) -> NDArray[np.bool_]:
        """Rows whose id (or id and part) was seen before."""
        seen = self._seen[table]
        repeated = np.zeros(rows.num_rows, bool)
        for row, mark in enumerate(_row_marks(rows).tolist()):
            repeated[row] = mark in seen
            seen.add(mark)
        name = rows.column_names[0]
        what = f"column {name} must stand once (several parts need a part_id)"
        if "part_id" in rows.column_names:
            what = f"columns {name} and part_id must stand once"
        faults.add_rows(file, what, repeated, lambda row: rows[name][row].as_py())
        return repeated

    def _given(self, rows: pa.Table, good: NDArray[np.bool_], faults: Faults, file: str) -> Parts:
        if self.dimensions is None:
            lengths = pc.list_value_length(rows["vector"]).drop_null()
            self.dimensions = max(int(lengths[0].as_py()), 1) if len(lengths) else 1
        n_before = len(faults.found)
        cosine = self._config.metric_type == "cosine"
        vectors = check_vectors(file, rows, self.dimensions, cosine=cosine, faults=faults)
        for fault in faults.found[n_before:]:
            good[fault.rows] = False
        row = np.flatnonzero(good)
        if vectors is None:
            flat = rows["vector"].take(pa.array(row)).combine_chunks().flatten()
            vectors = flat.to_numpy(zero_copy_only=False).astype(np.float32)
            vectors = vectors.reshape(len(row), self.dimensions)
        else:
            vectors = vectors[row]
        return Parts(vectors, row, _flags(rows)[row])

    def _encoded(
        self, table: str, rows: pa.Table, good: NDArray[np.bool_], faults: Faults, file: str
    ) -> Parts:
        encoder = self._texts.encoder()
        self.dimensions = self.dimensions or encoder.dimensions
        if self.dimensions != encoder.dimensions:
            faults.add_file(
                file,
                f"texts become vectors of {encoder.dimensions} numbers, which cannot be compared "
                f"with the {self.dimensions} of the vectors given; give vectors for {table} too, "
                "or choose the model that made the others (encoder.model)",
            )
            good[:] = False
        parts = self._texts.encode(table, rows, np.flatnonzero(good))
        empty = good.copy()
        empty[parts.row] = False
        faults.add_rows(
            file,
            "a text must hold at least one token that the model knows",
            empty,
            lambda row: Got(repr(text_of(rows, row))[:80]),
        )
        _drop(good, empty)
        return parts

    def _write(self, table: str, rows: pa.Table, parts: Parts) -> None:
        if not len(parts.row):
            return
        name, text = rows.column_names[0], TABLES[table][-1].name
        owner = pa.array(parts.row)
        columns = {
            name: rows[name].take(owner),
            "vector": vector_column(parts.vectors),
            "is_average": pa.array(parts.is_average),
            text: self._first_texts(table, rows, text).take(owner),
        }
        schema = self._schema(table)
        out = pa.table([columns[field.name] for field in schema], schema=schema)
        self._writer(table).write_table(out)

    def _first_texts(self, table: str, rows: pa.Table, text: str) -> pa.Array:
        """The title of each object, the text of each query: the first that its rows have."""
        if text not in rows.column_names:
            return pa.nulls(rows.num_rows, pa.string())
        seen, new = self._with_text[table], np.zeros(rows.num_rows, bool)
        for row, mark in enumerate(hashes(rows.column(0)).tolist()):
            new[row] = mark not in seen
            seen.add(mark)
        return pc.if_else(pa.array(new), rows[text].combine_chunks(), None)

    def _remember(self, table: str, rows: pa.Table, good: NDArray[np.bool_]) -> None:
        self._ids[table].append(pc.unique(rows.column(0).filter(pa.array(good)).combine_chunks()))
        if len(self._ids[table]) > 256:
            self._ids[table] = [self.ids(table).cast(pa.string())]


def _row_marks(rows: pa.Table) -> NDArray[np.uint64]:
    marks = hashes(rows.column(0))
    if "part_id" in rows.column_names:
        marks = marks * np.uint64(0x9E3779B97F4A7C15) + hashes(rows["part_id"])
    return marks


def _flags(rows: pa.Table) -> NDArray[np.bool_]:
    if "is_average" not in rows.column_names:
        return np.zeros(rows.num_rows, bool)
    flags = pc.fill_null(rows["is_average"], False)
    return np.asarray(flags.to_numpy(), bool)


def _drop(good: NDArray[np.bool_], bad: NDArray[np.bool_]) -> None:
    good &= ~bad
