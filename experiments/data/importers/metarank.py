"""Metarank: its events, one JSON a line (item, user, ranking, interaction)."""

from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from experiments.config.data import IngestConfig
from experiments.data.importers.actions import CLICKS, N_ACTIONS, Actions
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
from experiments.data.readers.row_blocks import RecordBlock, Silent

TITLE_FIELDS = ("title", "name")
BLOCK_ITEMS = 10_000
NO_RANKINGS = "interactions with rankings that are not in the file"


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
    actions = Actions("type", "type", chosen_types(config, IMPORTER.click_types))
    kinds = kinds_before_a_ranking(events)
    if kinds and "ranking" not in kinds:
        there = ", ".join(f"{kind} ({n:,})" for kind, n in kinds.most_common(N_ACTIONS))
        what = f"no event is a ranking, and these alone say what was shown; the file has {there}"
        intake.reject_file(events.name, what)
    for block in read_json_lines(events, "events", intake):
        _add_block(block, "ranking" in kinds, actions, items, intake)
    actions.tell(events.name, intake)
    if objects is not None:
        add_objects(objects, config, intake)
    else:
        _add_items(items, events.name, intake)


def kinds_before_a_ranking(path: Path) -> Counter[str]:
    """How many events of each kind a file has; it is read no further than its first ranking."""
    kinds: Counter[str] = Counter()
    for block in read_json_lines(path, "events", Silent()):
        kinds.update(str(record.get("event")) for record in block.records)
        if "ranking" in kinds:
            break
    return kinds


def _add_block(
    block: RecordBlock,
    has_rankings: bool,
    actions: Actions,
    items: dict[str, Item],
    intake: Intake,
) -> None:
    searches = Searches(block.file, "ms")
    for line, record in block.lines():
        kind = record.get("event")
        if kind == "ranking":
            _add_ranking(line, record, searches, intake)
        elif kind == "interaction":
            _add_interaction(line, record, has_rankings, actions, searches)
        elif kind == "item":
            _learn_item(line, record, block.file, items, intake)
        else:
            searches.leave_out("events", "events of other kinds")
    searches.send(intake)


def _add_ranking(line: int, record: dict[str, Any], searches: Searches, intake: Intake) -> None:
    results = record.get("items")
    query = field_value(record, "query")
    if not isinstance(results, list) or not all(isinstance(item, dict) for item in results):
        what = "items of a ranking must be a list of objects with id"
        intake.reject("sessions", searches.file, line, what, str(results))
    elif not results:
        searches.leave_out_session(record.get("id"), "rankings without items")
    elif query is None or (isinstance(query, str) and not query.strip()):
        searches.leave_out_session(record.get("id"), "rankings without a query")
    else:
        searches.add_session(
            line,
            [item.get("id") for item in results],
            session_id=record.get("id"),
            user_id=record.get("user"),
            query_text=query,
            created_at=record.get("timestamp"),
        )


def _add_interaction(
    line: int, record: dict[str, Any], has_rankings: bool, actions: Actions, searches: Searches
) -> None:
    if not actions.is_click(record.get("type")):
        actions.pass_over(record.get("type"))
    elif record.get("ranking") is None:
        searches.leave_out("events", "interactions outside a search")
    elif not has_rankings:
        searches.leave_out("events", NO_RANKINGS)
    else:
        searches.add_event(
            line,
            event_id=record.get("id"),
            session_id=record.get("ranking"),
            object_id=record.get("item"),
            event_type=record.get("type"),
            created_at=record.get("timestamp"),
        )


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
    click_types=CLICKS,
    source="Metarank's event log",
    how_made=(
        "A session is a ranking event with a query field; its items stand in the order shown. An "
        "event is an interaction whose type is a click and that names its ranking."
    ),
)
