"""Embedding Studio: sessions and events as `mongoexport` writes them, vectors from pgvector."""

import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from experiments.config.data import IngestConfig
from experiments.data.format.validation import LOOKS_LIKE_MILLISECONDS
from experiments.data.importers.base import (
    JSON_LINES,
    TABULAR,
    Importer,
    Searches,
    add_objects,
    chosen_types,
    find_file,
    unwrap,
)
from experiments.data.intake.coercion import plain_text
from experiments.data.intake.intake import Intake, query_id_of
from experiments.data.readers.any_file import read_table
from experiments.data.readers.json_lines import read_json_lines
from experiments.data.readers.row_blocks import RecordBlock, RowBlock

EVENT_FIELDS = ("event_id", "session_id", "object_id", "event_type")


def read(root: Path, config: IngestConfig, intake: Intake) -> None:
    """Read `sessions.jsonl`, `events.jsonl`, `objects.csv` and, where there is one, `queries.csv`.

    The tables of vectors have the columns object_id, part_id, vector, is_average, user_id,
    original_id; the object_id of a query's row is the text of its search. Without a table of
    query vectors the search texts are encoded.
    """
    sessions = find_file(root, ["sessions", "clickstream_sessions"], JSON_LINES, intake)
    events = find_file(root, ["events", "clickstream_events", "session_events"], JSON_LINES, intake)
    objects = find_file(root, ["objects", "items", "vectors"], TABULAR, intake)
    queries = find_file(root, ["queries"], TABULAR, intake, needed=False)
    copies = Copies()
    if objects is not None:
        add_objects(objects, config, intake, copies.learn)
    if queries is not None:
        _add_queries(queries, config, intake)
    if sessions is not None:
        for block in read_json_lines(sessions, "sessions", intake):
            _add_sessions(block, copies, intake)
    if events is not None:
        types = chosen_types(config, IMPORTER.click_types)
        for block in read_json_lines(events, "events", intake):
            _add_events(block, types, copies, intake)


def _add_queries(path: Path, config: IngestConfig, intake: Intake) -> None:
    for block in read_table(path, "queries", intake, config.csv):
        columns = block.columns
        if not {"object_id", "vector"} <= set(columns):
            there = ", ".join(columns) or "no columns"
            intake.reject_file(
                block.file, f"must have the columns object_id and vector, got {there}"
            )
            return
        texts = columns["object_id"]
        texts = texts if isinstance(texts, list) else texts.to_pylist()
        taken: dict[str, Any] = {
            "query_id": [query_id_of(text) if isinstance(text, str) else text for text in texts],
            "text": texts,
            "vector": block.numbers("vector"),
        }
        if "part_id" in columns:
            taken["part_id"] = columns["part_id"]
        intake.add("queries", block.file, block.rows, taken)


class Copies:
    """Which original each personalized copy is of.

    A live log names the copies, called ``<object>_<user>``; the table of vectors says of which
    original each is. Where it holds originals alone, a name that is none of them and ends in
    the searching user's id is taken apart.
    """

    def __init__(self) -> None:
        self._original_of: dict[tuple[str, str], str] = {}
        self._originals: set[str] = set()
        self._user_of: dict[str, str] = {}

    def learn(self, block: RowBlock) -> None:
        """Take rows of the table of vectors."""
        name = "object_id" if "object_id" in block.columns else "id"
        ids, users, originals = (_texts(block, c) for c in (name, "user_id", "original_id"))
        for copy, user, original in zip(ids, users, originals, strict=True):
            if not user:
                self._originals.add(copy)
            elif original:
                self._original_of[copy, user] = original

    def shown(self, session_id: Any, user: Any, names: list[Any]) -> list[Any]:
        """The originals of what a session showed; it is remembered whose copies these were."""
        found = [self._original(name, plain_text(user)) for name in names]
        if user is not None and found != names:
            self._user_of[plain_text(session_id)] = plain_text(user)
        return found

    def clicked(self, session_id: Any, name: Any) -> Any:
        """The original of what was clicked in a session."""
        user = self._user_of.get(plain_text(session_id))
        return name if user is None else self._original(name, user)

    def _original(self, name: Any, user: str) -> Any:
        text = plain_text(name)
        if text in self._originals:
            return name
        if (text, user) in self._original_of:
            return self._original_of[text, user]
        stem = text.removesuffix(f"_{user}")
        return stem if stem in self._originals else name


def _texts(block: RowBlock, column: str) -> list[str]:
    """A column of ids as texts, "" where there is none."""
    if column not in block.columns:
        return [""] * len(block.rows)
    values = block.ids(column)
    plain = values if isinstance(values, list) else values.to_pylist()
    return ["" if value is None or value != value else plain_text(value) for value in plain]


def _add_sessions(block: RecordBlock, copies: Copies, intake: Intake) -> None:
    searches = Searches(block.file)
    for line, record in block.lines():
        results, session_id = record.get("search_results"), unwrap(record.get("session_id"))
        if results is None or results == []:
            searches.leave_out_session(session_id, "searches without results")
        elif not isinstance(results, list) or not all(isinstance(item, dict) for item in results):
            what = "search_results must be a list of objects with object_id and rank"
            intake.reject("sessions", block.file, line, what, str(results))
        else:
            user = unwrap(record.get("user_id"))
            shown = _in_order(results, session_id, user, copies, searches)
            searches.add_session(
                line,
                shown,
                session_id=session_id,
                user_id=user,
                query_text=record.get("search_query"),
                created_at=moment_of(record),
                is_irrelevant=record.get("is_irrelevant"),
            )
    searches.send(intake)


def _in_order(
    results: list[dict[str, Any]], session_id: Any, user: Any, copies: Copies, searches: Searches
) -> list[Any]:
    """The originals of a session's results, from the top; of an original and its copy the first."""
    ranks = [unwrap(item.get("rank")) for item in results]
    names = [unwrap(results[index].get("object_id")) for index in order_of(ranks)]
    shown = copies.shown(session_id, user, names)
    if shown == names:
        return names
    first = {plain_text(name): index for index, name in reversed(list(enumerate(shown)))}
    kept = sorted(first.values())
    for _ in range(len(shown) - len(kept)):
        searches.leave_out("impressions", "copies shown beside their originals")
    return [shown[index] for index in kept]


def moment_of(record: Mapping[str, Any]) -> Any:
    """When a record was made, in seconds: its code counts those, its documents milliseconds.

    Example:
        >>> moment_of({"created_at": 1700000000}), moment_of({"created_at": 1700000000999})
        (1700000000, 1700000000)
    """
    at = unwrap(record.get("created_at"))
    if (
        isinstance(at, int | float)
        and LOOKS_LIKE_MILLISECONDS <= at < 1000 * LOOKS_LIKE_MILLISECONDS
    ):
        return at // 1000
    return at


def order_of(ranks: list[Any]) -> list[int]:
    """The order of results by rank, a distance: the smallest is on top, equals as listed.

    Where one of them is no number, results stand as listed.

    Example:
        >>> order_of([2, 1, 3]), order_of([0.4, "0.1"]), order_of([3, None])
        ([1, 0, 2], [1, 0], [0, 1])
    """
    try:
        distances = [float(rank) for rank in ranks]
    except (TypeError, ValueError, OverflowError):
        distances = []
    if len(distances) < len(ranks) or any(math.isnan(distance) for distance in distances):
        return list(range(len(ranks)))
    return sorted(range(len(ranks)), key=distances.__getitem__)


def _add_events(block: RecordBlock, types: set[str] | None, copies: Copies, intake: Intake) -> None:
    searches = Searches(block.file)
    for line, record in block.lines():
        if types is not None and str(record.get("event_type", "click")) not in types:
            searches.leave_out("events", "events that are no clicks")
        else:
            values = {name: unwrap(record.get(name)) for name in EVENT_FIELDS}
            values["created_at"] = moment_of(record)
            values["object_id"] = copies.clicked(values["session_id"], values["object_id"])
            searches.add_event(line, **values)
    searches.send(intake)


IMPORTER = Importer(
    read=read,
    click_types=None,
    source="Embedding Studio's click stream and its pgvector tables",
    how_made=(
        "A session is a search; its results stand in the order of their ranks, which are "
        "distances, or as listed where a rank is no number. Adjusted copies of vectors (rows with "
        "a user_id) are left out, and what was shown of them counts as their originals."
    ),
)
