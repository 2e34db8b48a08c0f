"""Files of UBI: an index each, or both in one; plain documents, hits or bulk requests."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from experiments.data.importers.base import JSON_LINES, find_file
from experiments.data.intake.intake import Intake
from experiments.data.readers.json_lines import read_json_lines
from experiments.data.readers.row_blocks import Complaints, RecordBlock, Silent

BULK_ACTIONS = ("index", "create")


@dataclass(frozen=True)
class UbiFiles:
    """Where queries and events stand; one file may hold both.

    A line is the document itself, a search hit with the document under `_source`, or the action
    of a bulk request, which says of the next line where to put it, and nothing here.

    Args:
        queries: The file of `ubi_queries`.
        events: The file of `ubi_events`.
    """

    queries: Path
    events: Path

    def query_blocks(self, complaints: Complaints) -> Iterator[RecordBlock]:
        """The query documents, block by block."""
        chosen = is_query if self._is_one else anything
        return _documents(self.queries, "sessions", complaints, chosen)

    def event_blocks(self, complaints: Complaints) -> Iterator[RecordBlock]:
        """The event documents; bad lines of a file of both were reported with its queries."""
        if self._is_one:
            return _documents(self.events, "events", Silent(), lambda record: not is_query(record))
        return _documents(self.events, "events", complaints, anything)

    @property
    def _is_one(self) -> bool:
        return self.queries == self.events


def find_ubi_files(root: Path, intake: Intake) -> UbiFiles | None:
    """The files in a folder, or a file itself that holds both indices; None where they miss."""
    if root.is_file():
        return UbiFiles(root, root)
    both = find_file(root, ["ubi_queries_events", "ubi"], JSON_LINES, intake, needed=False)
    needed = both is None
    queries = find_file(root, ["ubi_queries", "queries"], JSON_LINES, intake, needed=needed)
    events = find_file(root, ["ubi_events", "events"], JSON_LINES, intake, needed=needed)
    if queries is not None and events is not None:
        return UbiFiles(queries, events)
    return None if both is None else UbiFiles(both, both)


def document(record: dict[str, Any]) -> dict[str, Any]:
    """The document of a line, be it wrapped in a search hit or not."""
    inner = record.get("_source")
    return inner if isinstance(inner, dict) else record


def is_bulk_action(record: dict[str, Any]) -> bool:
    """Whether a line of a bulk request says where to put the document on the next.

    Example:
        >>> is_bulk_action({"index": {"_index": "ubi_queries"}}), is_bulk_action({"query_id": "q"})
        (True, False)
    """
    name, value = next(iter(record.items()), ("", None))
    return len(record) == 1 and name in BULK_ACTIONS and isinstance(value, dict)


def is_query(record: dict[str, Any]) -> bool:
    """Whether a document is of `ubi_queries`: events say what was done."""
    return "action_name" not in record


def anything(_: dict[str, Any]) -> bool:
    """In a file of one index every document is of that index."""
    return True


def _documents(
    path: Path, table: str, complaints: Complaints, chosen: Callable[[dict[str, Any]], bool]
) -> Iterator[RecordBlock]:
    for block in read_json_lines(path, table, complaints):
        found = [
            (line, document(record))
            for line, record in block.lines()
            if not is_bulk_action(record) and chosen(document(record))
        ]
        rows = np.array([line for line, _ in found], np.int64)
        yield RecordBlock(block.file, rows, [record for _, record in found])
