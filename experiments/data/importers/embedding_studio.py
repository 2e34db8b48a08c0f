"""Embedding Studio: sessions and events as `mongoexport` writes them, vectors from pgvector."""

from pathlib import Path
from typing import Any

from experiments.config.data import IngestConfig
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
from experiments.data.intake.intake import Intake, query_id_of
from experiments.data.readers.any_file import read_table
from experiments.data.readers.json_lines import read_json_lines
from experiments.data.readers.row_blocks import RecordBlock

EVENT_FIELDS = ("event_id", "session_id", "object_id", "event_type", "created_at")


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
    if objects is not None:
        add_objects(objects, config, intake)
    if queries is not None:
        _add_queries(queries, config, intake)
    if sessions is not None:
        for block in read_json_lines(sessions, "sessions", intake):
            _add_sessions(block, intake)
    if events is not None:
        types = chosen_types(config, IMPORTER.click_types)
        for block in read_json_lines(events, "events", intake):
            _add_events(block, types, intake)


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


def _add_sessions(block: RecordBlock, intake: Intake) -> None:
    searches = Searches(block.file)
    for line, record in block.lines():
        results = record.get("search_results")
        if results is None or results == []:
            searches.leave_out("sessions", "searches without results")
        elif not isinstance(results, list) or not all(isinstance(item, dict) for item in results):
            what = "search_results must be a list of objects with object_id and rank"
            intake.reject("sessions", block.file, line, what, str(results))
        else:
            searches.add_session(
                line,
                [unwrap(item.get("object_id")) for item in results],
                positions_of([unwrap(item.get("rank")) for item in results]),
                session_id=unwrap(record.get("session_id")),
                user_id=unwrap(record.get("user_id")),
                query_text=record.get("search_query"),
                created_at=unwrap(record.get("created_at")),
                is_irrelevant=record.get("is_irrelevant"),
            )
    searches.send(intake)


def positions_of(ranks: list[Any]) -> list[Any]:
    """Places from ranks: whole numbers are places, counted from 0 or 1; else the list's order.

    Example:
        >>> positions_of([2, 1, 3]), positions_of([0.91, 0.4]), positions_of([None])
        ([1, 0, 2], [0, 1], [0])
    """
    whole = all(isinstance(rank, int | float) and rank == rank // 1 for rank in ranks)
    if not whole or len(set(ranks)) < len(ranks) or any(abs(rank) > 2**31 for rank in ranks):
        return list(range(len(ranks)))
    first = 1 if min(ranks) == 1 else 0
    return [int(rank) - first for rank in ranks]


def _add_events(block: RecordBlock, types: set[str] | None, intake: Intake) -> None:
    searches = Searches(block.file)
    for line, record in block.lines():
        if types is not None and str(record.get("event_type", "click")) not in types:
            searches.leave_out("events", "events that are no clicks")
        else:
            values = {name: unwrap(record.get(name)) for name in EVENT_FIELDS}
            searches.add_event(line, **values)
    searches.send(intake)


IMPORTER = Importer(
    read=read,
    click_types=None,
    source="Embedding Studio's click stream and its pgvector tables",
    how_made=(
        "A session is a search; its results stand in the order of their ranks where these are "
        "whole numbers, else as listed. Adjusted copies of vectors (rows with a user_id) are left "
        "out."
    ),
)
