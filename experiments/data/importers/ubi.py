"""OpenSearch User Behavior Insights: `ubi_queries` and `ubi_events`, one JSON a line."""

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
)
from experiments.data.intake.intake import Intake
from experiments.data.readers.json_lines import read_json_lines
from experiments.data.readers.row_blocks import RecordBlock


def read(root: Path, config: IngestConfig, intake: Intake) -> None:
    """Read `ubi_queries.jsonl`, `ubi_events.jsonl` and `objects.*` (vectors or texts).

    A line may be the document itself or a search hit with the document under `_source`.
    """
    queries = find_file(root, ["ubi_queries", "queries"], JSON_LINES, intake)
    events = find_file(root, ["ubi_events", "events"], JSON_LINES, intake)
    objects = find_file(root, ["objects", "items", "products"], TABULAR, intake)
    if objects is not None:
        add_objects(objects, config, intake)
    if queries is not None:
        for block in read_json_lines(queries, "sessions", intake):
            _add_queries(block, intake)
    if events is not None:
        types = chosen_types(config, IMPORTER.click_types)
        for block in read_json_lines(events, "events", intake):
            _add_events(block, types, intake)


def _add_queries(block: RecordBlock, intake: Intake) -> None:
    searches = Searches(block.file, "ms")
    for line, hit in block.lines():
        record = document(hit)
        hits = record.get("query_response_hit_ids")
        if hits is None or hits == []:
            searches.leave_out("sessions", "searches without results")
        elif not isinstance(hits, list):
            what = "query_response_hit_ids must be a list of ids"
            intake.reject("sessions", block.file, line, what, str(hits))
        else:
            searches.add_session(
                line,
                hits,
                session_id=record.get("query_id"),
                user_id=record.get("client_id"),
                query_text=record.get("user_query"),
                created_at=record.get("timestamp"),
            )
    searches.send(intake)


def _add_events(block: RecordBlock, types: set[str] | None, intake: Intake) -> None:
    searches = Searches(block.file, "ms")
    for line, hit in block.lines():
        record = document(hit)
        kind = record.get("action_name")
        if types is not None and str(kind) not in types:
            searches.leave_out("events", "events that are no clicks")
        elif record.get("query_id") in (None, ""):
            searches.leave_out("events", "events outside a search")
        else:
            searches.add_event(
                line,
                event_id=f"{block.file}-{line}",
                session_id=record["query_id"],
                object_id=nested(record, "event_attributes", "object", "object_id"),
                event_type=kind,
                created_at=record.get("timestamp"),
            )
    searches.send(intake)


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
