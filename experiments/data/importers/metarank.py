"""Metarank: its events, one JSON a line (item, user, ranking, interaction)."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from experiments.data.importers.base import (
    JSON_LINES,
    TABULAR,
    Flat,
    Importer,
    add_objects,
    chosen_types,
    find_file,
)
from experiments.data.intake import Intake
from experiments.data.readers import Records, read_json_lines
from experiments.data_config import IngestConfig

SESSION_FIELDS = ("session_id", "user_id", "query_text", "created_at")
EVENT_FIELDS = ("event_id", "session_id", "object_id", "event_type", "created_at")
TITLE_FIELDS = ("title", "name")
BLOCK_ITEMS = 10_000


@dataclass
class Item:
    """What item events said of one item: the line of the first, and its text fields."""

    row: int
    texts: dict[str, str] = field(default_factory=dict)


def read(root: Path, config: IngestConfig, intake: Intake) -> None:
    """Read `events.jsonl`, or a file itself; and `objects.*` with vectors where there is one.

    Without vectors the text fields of item events are encoded; of an item's fields the last
    values count.
    """
    folder = root if root.is_dir() else root.parent
    events = root if root.is_file() else find_file(root, ["events"], JSON_LINES, intake)
    objects = find_file(folder, ["objects", "vectors"], TABULAR, intake, needed=False)
    items: dict[str, Item] = {}
    if events is None:
        return
    types = chosen_types(config, IMPORTER.click_types)
    for block in read_json_lines(events, "events", intake):
        _add_block(block, types, items, intake)
    if objects is not None:
        add_objects(objects, intake)
    else:
        _add_items(items, events.name, intake)


def _add_block(
    block: Records, types: set[str] | None, items: dict[str, Item], intake: Intake
) -> None:
    sessions = Flat.empty(SESSION_FIELDS)
    impressions = Flat.empty(("session_id", "position", "object_id"))
    events = Flat.empty(EVENT_FIELDS)
    left_out: dict[str, int] = {}
    for row, record in zip(block.rows.tolist(), block.records, strict=True):
        kind = record.get("event")
        why = None
        if kind == "ranking":
            why = _add_ranking(row, record, block.file, sessions, impressions, intake)
        elif kind == "interaction":
            why = _add_interaction(row, record, types, events)
        elif kind == "item":
            _learn_item(row, record, block.file, items, intake)
        else:
            why = "events of other kinds"
        if why is not None:
            left_out[why] = left_out.get(why, 0) + 1
    for why, n_rows in left_out.items():
        intake.leave_out("sessions" if "ranking" in why else "events", why, n_rows)
    sessions.send(intake, "sessions", block.file, time_unit="ms")
    impressions.send(intake, "impressions", block.file)
    events.send(intake, "events", block.file, time_unit="ms")


def _add_ranking(
    row: int,
    record: dict[str, Any],
    file: str,
    sessions: Flat,
    impressions: Flat,
    intake: Intake,
) -> str | None:
    results = record.get("items")
    if not isinstance(results, list) or not all(isinstance(item, dict) for item in results):
        what = "items of a ranking must be a list of objects with id"
        intake.reject("sessions", file, row, what, str(results))
        return None
    query = field_value(record, "query")
    if not results:
        return "rankings without items"
    if query is None:
        return "rankings without a query"
    name = record.get("id")
    values = (name, record.get("user"), query, record.get("timestamp"))
    sessions.extend(row, {k: [v] for k, v in zip(SESSION_FIELDS, values, strict=True)})
    shown: dict[str, list[Any]] = {
        "session_id": [name] * len(results),
        "position": list(range(len(results))),
    }
    impressions.extend(row, {**shown, "object_id": [item.get("id") for item in results]})
    return None


def _add_interaction(
    row: int, record: dict[str, Any], types: set[str] | None, events: Flat
) -> str | None:
    if types is not None and str(record.get("type")) not in types:
        return "interactions that are no clicks"
    if record.get("ranking") is None:
        return "interactions outside a search"
    names = ("id", "ranking", "item", "type", "timestamp")
    values = [record.get(name) for name in names]
    events.extend(row, {k: [v] for k, v in zip(EVENT_FIELDS, values, strict=True)})
    return None


def _learn_item(
    row: int, record: dict[str, Any], file: str, items: dict[str, Item], intake: Intake
) -> None:
    name = record.get("item")
    if not isinstance(name, str):
        intake.reject("items", file, row, "item must be a string", str(name))
        return
    known = items.setdefault(name, Item(row))
    for entry in fields_of(record):
        text = text_of(entry.get("value"))
        if text and isinstance(entry.get("name"), str):
            known.texts[entry["name"]] = text


def fields_of(record: dict[str, Any]) -> list[dict[str, Any]]:
    """The fields of an event; what is no field is passed over."""
    fields = record.get("fields")
    return [e for e in fields if isinstance(e, dict)] if isinstance(fields, list) else []


def text_of(value: Any) -> str:
    """The text of a field: a string, or strings in a list; numbers and flags are none.

    Example:
        >>> text_of(["red", "blue"]), text_of(3)
        ('red blue', '')
    """
    if isinstance(value, list):
        return " ".join(item for item in value if isinstance(item, str))
    return value if isinstance(value, str) else ""


def field_value(record: dict[str, Any], name: str) -> Any:
    """The value of a field of an event, or None."""
    values = (entry.get("value") for entry in fields_of(record) if entry.get("name") == name)
    return next(values, None)


def _add_items(items: dict[str, Item], file: str, intake: Intake) -> None:
    names = list(items)
    for start in range(0, len(names), BLOCK_ITEMS):
        mine = names[start : start + BLOCK_ITEMS]
        texts = [items[name].texts for name in mine]
        titles = [next((t[n] for n in TITLE_FIELDS if n in t), None) for t in texts]
        rest = [[v for n, v in t.items() if n not in TITLE_FIELDS] for t in texts]
        columns = {
            "object_id": mine,
            "title": titles,
            "body": [" ".join(words) or None for words in rest],
        }
        intake.add("items", file, np.array([items[n].row for n in mine], np.int64), columns)


IMPORTER = Importer(
    read=read,
    click_types=("click",),
    source="Metarank's event log",
    how_made=(
        "A session is a ranking event with a query field; its items stand in the order shown. An "
        "event is an interaction of the type click that names its ranking."
    ),
)
