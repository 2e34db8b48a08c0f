"""Rows that an import refuses: counted, grouped for the report, and kept in a file of their own."""

from dataclasses import dataclass, field
from pathlib import Path

import pyarrow as pa

from experiments.common.parquet_file import ParquetFileWriter
from experiments.data.format.faults import N_EXAMPLES

QUARANTINE_FILE = "quarantine.parquet"
BUFFER_ROWS = 10_000
SCHEMA = pa.schema(
    [
        ("table", pa.string()),
        ("file", pa.string()),
        ("row", pa.int64()),
        ("reason", pa.string()),
        ("content", pa.string()),
    ]
)


@dataclass
class _Group:
    n_rows: int = 0
    examples: list[tuple[int, str]] = field(default_factory=list)


def storable(text: str) -> str:
    """A text that UTF-8 can hold: JSON may bring half a character, and so may a file's name.

    Example:
        >>> storable("\\ud83d!")
        '?!'
    """
    return text.encode(errors="replace").decode()


class Rejections:
    """Refused rows, in bounded memory.

    Args:
        folder: Where `quarantine.parquet` is written once there is a row.
    """

    def __init__(self, folder: Path) -> None:
        self._path = folder / QUARANTINE_FILE
        self._writer: ParquetFileWriter | None = None
        self._buffer: list[tuple[str, str, int, str, str]] = []
        self._groups: dict[tuple[str, str], _Group] = {}
        self._bad_files: dict[tuple[str, str], None] = {}
        self.n_rows: dict[str, int] = {}

    @property
    def has_bad_file(self) -> bool:
        """Whether a file could not be read to its end."""
        return bool(self._bad_files)

    @property
    def reasons(self) -> dict[str, int]:
        """File and reason → number of rows."""
        return {f"{file}: {what}": group.n_rows for (file, what), group in self._groups.items()}

    def fault(self, file: str, what: str, row: int, example: str) -> None:
        """Count one fault of a row; a row may have several."""
        group = self._groups.setdefault((file, what), _Group())
        group.n_rows += 1
        if len(group.examples) < N_EXAMPLES:
            group.examples.append((row, example))

    def reject_file(self, file: str, what: str) -> None:
        """Report a fault of a whole file, which no quarantine can help."""
        self._bad_files[file, what] = None

    def keep(self, table: str, file: str, row: int, reason: str, content: str) -> None:
        """Put one row, once, into quarantine."""
        self.n_rows[table] = self.n_rows.get(table, 0) + 1
        self._buffer.append((table, storable(file), row, reason, storable(content)))
        if len(self._buffer) >= BUFFER_ROWS:
            self._flush()

    def _flush(self) -> None:
        if not self._buffer:
            return
        if self._writer is None:
            self._writer = ParquetFileWriter(self._path, SCHEMA, compression="zstd")
        columns = [list(column) for column in zip(*self._buffer, strict=True)]
        arrays = [pa.array(c, kind) for c, kind in zip(columns, SCHEMA.types, strict=True)]
        self._writer.write_table(pa.Table.from_arrays(arrays, schema=SCHEMA))
        self._buffer = []

    def close(self) -> None:
        """Write what is left."""
        self._flush()
        if self._writer is not None:
            self._writer.close()
            self._writer = None

    def describe(self) -> str:
        """Every kind of fault with its number of rows and first examples."""
        lines = [f"{file}: {what}" for file, what in self._bad_files]
        for (file, what), group in self._groups.items():
            rows = f"{group.n_rows:,} row{'s' if group.n_rows > 1 else ''}"
            lines.append(f"{file}: {what} ({rows}; rows count from 1):")
            lines += [f"  row {row}: got {example}" for row, example in group.examples]
        return "\n".join(lines)
