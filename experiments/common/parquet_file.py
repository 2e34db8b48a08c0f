"""Parquet files that are written as any other file is: what the system refuses is told once."""

from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq


class ParquetFileWriter(pq.ParquetWriter):  # type: ignore[misc]
    """Writes tables to a Parquet file through Python's own file.

    One that is dropped before it was closed leaves its file without an end, instead of trying to
    write it once more: there was a fault, and the file is about to be removed.

    Args:
        path: The file, made anew.
        schema: Of all tables.
        options: As pyarrow's writer takes them.
    """

    def __init__(self, path: Path, schema: pa.Schema, **options: Any) -> None:
        self.is_open = False
        self._file = path.open("wb")
        super().__init__(self._file, schema, **options)

    def close(self) -> None:
        """Write the file's end, and close it."""
        super().close()
        self._file.close()

    def __exit__(self, kind: type[BaseException] | None, *fault: object) -> None:
        if kind is None:
            self.close()

    def __del__(self) -> None:
        """Pyarrow's would close."""
