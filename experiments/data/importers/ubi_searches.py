"""What UBI's two files say together: which searches have results, and where they are named."""

from array import array
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from hashlib import blake2b
from typing import Any

import numpy as np
from numpy.typing import NDArray

from experiments.data.importers.ubi_files import UbiFiles
from experiments.data.intake.coercion import coerce, plain_text
from experiments.data.readers.row_blocks import Silent

HIT_FIELDS = (
    "query_response_hit_ids",
    "query_response_object_ids",
    "query_response_objects_ids",
)
"""Names that the list of results has had; the newest first."""


@dataclass
class Shown:
    """Where the results of each search stand, 8 bytes a search and list.

    Args:
        named: Hashes of the searches whose query document names results, sorted.
        repeated: Hashes of those that have several such documents, sorted.
        seen: Hashes of the searches that have impression events, sorted.
        reused: Hashes of the query_ids that stand for several query texts, sorted.
    """

    named: NDArray[np.uint64]
    repeated: NDArray[np.uint64]
    seen: NDArray[np.uint64]
    reused: NDArray[np.uint64]

    def names_results(self, query: object) -> bool:
        """Whether a document of this query_id names results."""
        return _holds(self.named, query)

    def has_results(self, query: object) -> bool:
        """Whether anything says what this search showed."""
        return self.names_results(query) or _holds(self.seen, query)

    def has_pages(self, query: object) -> bool:
        """Whether several documents of this query_id name results."""
        return _holds(self.repeated, query)

    def is_reused(self, query: object) -> bool:
        """Whether documents of this query_id search for different texts."""
        return _holds(self.reused, query)


def survey(files: UbiFiles, is_impression: Callable[[dict[str, Any]], bool]) -> Shown:
    """Read queries and events once, for where the results of each search stand."""
    named, texts, seen = array("Q"), array("Q"), array("Q")
    for block in files.query_blocks(Silent()):
        for record in block.records:
            mark, text = _mark(record.get("query_id")), text_of(record)
            if hits_of(record):
                named.append(mark)
            if text:
                texts.extend((mark, _mark(text)))
    for block in files.event_blocks(Silent()):
        seen.extend(_mark(r.get("query_id")) for r in block.records if is_impression(r))
    distinct = np.unique(np.array(texts, np.uint64).reshape(-1, 2), axis=0)
    names = np.sort(np.array(named, np.uint64))
    return Shown(
        named=np.unique(names),
        repeated=_twice(names),
        seen=np.unique(np.array(seen, np.uint64)),
        reused=_twice(distinct[:, 0]),
    )


def text_of(record: dict[str, Any]) -> str:
    """What a query document searches for, blanks aside; "" if it does not say.

    Example:
        >>> text_of({"user_query": " red  shoes "}), text_of({})
        ('red shoes', '')
    """
    text = record.get("user_query")
    return " ".join(text.split()) if isinstance(text, str) else ""


def hits_of(record: dict[str, Any]) -> Any:
    """The results that a query document names, under any of the names for them; None if none.

    Example:
        >>> hits_of({"query_response_object_ids": ["a"]}), hits_of({})
        (['a'], None)
    """
    return next((record[name] for name in HIT_FIELDS if record.get(name) is not None), None)


@dataclass
class Part:
    """A search of several documents: a query_id, and one text.

    Args:
        name: The query_id; a later text of the same query_id has its number behind it.
        at: Time of the first document, seconds.
        text: The text that its documents have in common.
        n_shown: Results of its documents.
        objects: Those results, as texts.
    """

    name: Any
    at: int
    text: str = ""
    n_shown: int = 0
    objects: set[str] = field(default_factory=set)


class Pages:
    """Searches of several documents, put together once all of them were read.

    Documents of one query_id are pages of one search as long as their texts are the same. A
    query_id whose text changes, as where each keystroke searches, stands for a search a text.
    """

    def __init__(self) -> None:
        self._pages: dict[str, list[tuple[int, int, dict[str, Any]]]] = {}
        self._parts: dict[str, list[Part]] = {}

    @property
    def n_reused(self) -> int:
        """How many query_ids stand for several searches."""
        return sum(len(parts) > 1 for parts in self._parts.values())

    def keep(self, line: int, record: dict[str, Any]) -> None:
        """Keep one document of a search."""
        self._pages.setdefault(plain_text(record.get("query_id")), []).append(
            (_seconds(record) or 0, line, record)
        )

    def together(self) -> Iterator[tuple[int, dict[str, Any], list[Any], int]]:
        """Each document with its line, its results and their first position, in order of time."""
        for key, pages in self._pages.items():
            parts = self._parts[key] = []
            ordered = sorted(pages, key=lambda page: page[:2])
            mine = [_part_of(record, parts, at) for at, _, record in ordered]
            for part, (_, line, record) in zip(mine, ordered, strict=True):
                hits = hits_of(record)
                yield line, _as_page(record, part), hits, part.n_shown
                part.n_shown += len(hits)
                part.objects.update(map(plain_text, hits))
        self._pages = {}

    def search_of(self, record: dict[str, Any]) -> Any:
        """The search of an event: the last before it that shows its object, if there are several.

        Where none before it does, it is the first that does, or the last before the event.
        """
        query = record.get("query_id")
        parts = self._parts.get(plain_text(query), [])
        if len(parts) < 2:
            return query
        name, at = plain_text(object_of(record)), _seconds(record) or 0
        showing = [part for part in parts if name in part.objects] or parts
        before = [part for part in showing if part.at <= at]
        return (before[-1] if before else showing[0]).name


def _part_of(record: dict[str, Any], parts: list[Part], at: int) -> Part:
    """The search that a document belongs to, a new one where its text is new."""
    text = text_of(record)
    known = [part for part in parts if text in ("", part.text)]
    if known:
        return known[-1]
    if parts and not parts[-1].text:
        parts[-1].text = text
        return parts[-1]
    query = record.get("query_id")
    parts.append(Part(f"{plain_text(query)} ({len(parts) + 1})" if parts else query, at, text))
    return parts[-1]


def _as_page(record: dict[str, Any], part: Part) -> dict[str, Any]:
    says = text_of(record) or not part.text
    return {
        **record,
        "query_id": part.name,
        "user_query": record.get("user_query") if says else part.text,
    }


def _seconds(record: dict[str, Any]) -> int | None:
    moment: int | None = coerce([record.get("timestamp")], "time", time_unit="ms")[0][0].as_py()
    return moment


def object_of(record: dict[str, Any]) -> Any:
    """The object of an event; older collectors call its id otherwise."""
    attributes = nested(record, "event_attributes")
    found = nested(attributes, "object", "object_id")
    return found if found is not None else nested(attributes, "data", "data_id")


def nested(record: Any, *keys: str) -> Any:
    """A value some levels down, or None.

    Example:
        >>> nested({"a": {"b": 1}}, "a", "b"), nested({"a": 3}, "a", "b")
        (1, None)
    """
    for key in keys:
        record = record.get(key) if isinstance(record, dict) else None
    return record


def _twice(marks: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """Those of sorted hashes that stand more than once."""
    return np.unique(marks[1:][np.diff(marks) == 0])


def _mark(name: object) -> int:
    text = plain_text(name).encode(errors="replace")
    return int.from_bytes(blake2b(text, digest_size=8).digest(), "little")


def _holds(marks: NDArray[np.uint64], name: object) -> bool:
    mark = np.uint64(_mark(name))
    index = int(np.searchsorted(marks, mark))
    return index < len(marks) and bool(marks[index] == mark)
