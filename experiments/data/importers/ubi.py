"""OpenSearch User Behavior Insights: `ubi_queries` and `ubi_events`, one JSON a line."""

from pathlib import Path
from typing import Any

from experiments.data.importers.base import (
    JSON_LINES,
    TABULAR,
    Flat,
    Importer,
    add_objects,
    chosen_types,
    find_file,
    shown_rows,
)
from experiments.data.intake import Intake
from experiments.data.readers import Records, read_json_lines
from experiments.data_config import IngestConfig

SESSION_FIELDS = ("session_id", "user_id", "query_text", "created_at")
EVENT_FIELDS = ("event_id", "session_id", "object_id", "event_type", "created_at")


def read(root: Path, config: IngestConfig, intake: Intake) -> None:
    """Read `ubi_queries.jsonl`, `ubi_events.jsonl` and `objects.*` (vectors or texts).

    A line may be the document itself or a search hit with the document under `_source`.
    """
    queries = find_file(root, ["ubi_queries", "queries"], JSON_LINES, intake)
    events = find_file(root, ["ubi_events", "events"], JSON_LINES, intake)
    objects = find_file(root, ["objects", "items", "products"], TABULAR, intake)
    if objects is not None:
        add_objects(objects, intake)
    if queries is not None:
        for block in read_json_lines(queries, "sessions", intake):
            _add_queries(block, intake)
    if events is not None:
        types = chosen_types(config, IMPORTER.click_types)
        for block in read_json_lines(events, "events", intake):
            _add_events(block, types, intake)


def _add_queries(block: Records, intake: Intake) -> None:
    sessions = Flat.empty(SESSION_FIELDS)
    impressions = Flat.empty(("session_id", "position", "object_id"))
    n_empty = 0
    for row, record in zip(block.rows.tolist(), map(document, block.records), strict=True):
        hits = record.get("query_response_hit_ids")
        if hits is None or hits == []:
            n_empty += 1
            continue
        if not isinstance(hits, list):
            what = "query_response_hit_ids must be a list of ids"
            intake.reject("sessions", block.file, row, what, str(hits))
            continue
        name = record.get("query_id")
        values = (name, record.get("client_id"), record.get("user_query"), record.get("timestamp"))
        sessions.extend(row, {k: [v] for k, v in zip(SESSION_FIELDS, values, strict=True)})
        impressions.extend(row, shown_rows(name, hits))
    intake.leave_out("sessions", "searches without results", n_empty)
    sessions.send(intake, "sessions", block.file, time_unit="ms")
    impressions.send(intake, "impressions", block.file)


def _add_events(block: Records, types: set[str] | None, intake: Intake) -> None:
    events = Flat.empty(EVENT_FIELDS)
    n_other = n_elsewhere = 0
    for row, record in zip(block.rows.tolist(), map(document, block.records), strict=True):
        kind = record.get("action_name")
        if types is not None and str(kind) not in types:
            n_other += 1
            continue
        if record.get("query_id") in (None, ""):
            n_elsewhere += 1
            continue
        clicked = nested(record, "event_attributes", "object", "object_id")
        values = (f"{block.file}-{row}", record["query_id"], clicked, kind, record.get("timestamp"))
        events.extend(row, {k: [v] for k, v in zip(EVENT_FIELDS, values, strict=True)})
    intake.leave_out("events", "events that are no clicks", n_other)
    intake.leave_out("events", "events outside a search", n_elsewhere)
    events.send(intake, "events", block.file, time_unit="ms")


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


IMPORTER = Importer(
    read=read,
    click_types=("click",),
    source="OpenSearch User Behavior Insights (ubi_queries, ubi_events)",
    how_made=(
        "A session is a query_id, its user the client_id, its results query_response_hit_ids in "
        "order; an event is a click on event_attributes.object.object_id."
    ),
)
