"""What UBI's two files say together: which searches have results, and where they are named."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from hashlib import blake2b
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from experiments.data.intake.coercion import coerce, plain_text
from experiments.data.readers.json_lines import read_json_lines

HIT_FIELDS = (
    "query_response_hit_ids",
    "query_response_object_ids",
    "query_response_objects_ids",
)
"""Names that the list of results has had; the newest first."""


class Silent:
    """Takes complaints and forgets them: the file is read once more, and they are told then."""

    def reject(self, table: str, file: str, row: int, what: str, content: str) -> None:
        """One row is no row."""

    def reject_file(self, file: str, what: str) -> None:
        """A file cannot be read to its end."""


@dataclass
class Shown:
    """Where the results of each search stand, 8 bytes a search.

    Args:
        named: Hashes of the searches whose query document names results, sorted.
        repeated: Hashes of those that have several such documents, sorted.
        seen: Hashes of the searches that have impression events, sorted.
    """

    named: NDArray[np.uint64]
    repeated: NDArray[np.uint64]
    seen: NDArray[np.uint64]

    def names_results(self, query: object) -> bool:
        """Whether a document of this query_id names results."""
        return _holds(self.named, query)

    def has_results(self, query: object) -> bool:
        """Whether anything says what this search showed."""
        return self.names_results(query) or _holds(self.seen, query)

    def has_pages(self, query: object) -> bool:
        """Whether several documents of this query_id name results."""
        return _holds(self.repeated, query)


def survey(queries: Path, events: Path, is_impression: Callable[[dict[str, Any]], bool]) -> Shown:
    """Read both files once, for where the results of each search stand."""
    named = _marks(record.get("query_id") for record in _documents(queries) if hits_of(record))
    seen = _marks(record.get("query_id") for record in _documents(events) if is_impression(record))
    return Shown(np.unique(named), np.unique(named[1:][np.diff(named) == 0]), np.unique(seen))


def hits_of(record: dict[str, Any]) -> Any:
    """The results that a query document names, under any of the names for them; None if none.

    Example:
        >>> hits_of({"query_response_object_ids": ["a"]}), hits_of({})
        (['a'], None)
    """
    return next((record[name] for name in HIT_FIELDS if record.get(name) is not None), None)


class Pages:
    """Searches of several documents, put together once all of them were read."""

    def __init__(self) -> None:
        self._pages: dict[str, list[tuple[int, int, dict[str, Any]]]] = {}

    def keep(self, line: int, record: dict[str, Any]) -> None:
        """Keep one document of a search."""
        at = coerce([record.get("timestamp")], "time", time_unit="ms")[0][0].as_py() or 0
        self._pages.setdefault(plain_text(record.get("query_id")), []).append((at, line, record))

    def together(self) -> Iterator[tuple[int, dict[str, Any], list[Any], int]]:
        """Each document with its line, its results and their first position, in order of time."""
        for pages in self._pages.values():
            first = 0
            for _, line, record in sorted(pages, key=lambda page: page[:2]):
                yield line, record, hits_of(record), first
                first += len(hits_of(record))


def object_of(record: dict[str, Any]) -> Any:
    """The object of an event; older collectors call its id otherwise."""
    attributes = nested(record, "event_attributes")
    found = nested(attributes, "object", "object_id")
    return found if found is not None else nested(attributes, "data", "data_id")


def document(record: dict[str, Any]) -> dict[str, Any]:
    """The document of a line, be it wrapped in a search hit or not."""
    inner = record.get("_source")
    return inner if isinstance(inner, dict) else record


def nested(record: Any, *keys: str) -> Any:
    """A value some levels down, or None.

    Example:
        >>> nested({"a": {"b": 1}}, "a", "b"), nested({"a": 3}, "a", "b")
        (1, None)
    """
    for key in keys:
        record = record.get(key) if isinstance(record, dict) else None
    return record


def _documents(path: Path) -> Iterator[dict[str, Any]]:
    for block in read_json_lines(path, "", Silent()):
        for _, record in block.lines():
            yield document(record)


def _marks(ids: Iterable[object]) -> NDArray[np.uint64]:
    """Hashes of ids, sorted."""
    return np.sort(np.fromiter((_mark(name) for name in ids), np.uint64))


def _mark(name: object) -> int:
    text = plain_text(name).encode(errors="replace")
    return int.from_bytes(blake2b(text, digest_size=8).digest(), "little")


def _holds(marks: NDArray[np.uint64], name: object) -> bool:
    mark = np.uint64(_mark(name))
    index = int(np.searchsorted(marks, mark))
    return index < len(marks) and bool(marks[index] == mark)
