"""OpenSearch User Behavior Insights: `ubi_queries` and `ubi_events`, one JSON a line."""

from pathlib import Path
from typing import Any

from experiments.config.data import IngestConfig
from experiments.data.importers.actions import CLICKS, Actions, action
from experiments.data.importers.base import (
    TABULAR,
    Importer,
    Searches,
    add_objects,
    chosen_types,
    find_file,
)
from experiments.data.importers.ubi_files import UbiFiles, find_ubi_files
from experiments.data.importers.ubi_searches import (
    Pages,
    Shown,
    hits_of,
    nested,
    object_of,
    survey,
)
from experiments.data.intake.intake import Intake
from experiments.data.readers.row_blocks import RecordBlock

IMPRESSIONS = (
    "impression",
    "item_impression",
    "product_impression",
    "result_impression",
    "search_result_impression",
)
SEVERAL_TEXTS = "query_ids of several texts, a search each"


def read(root: Path, config: IngestConfig, intake: Intake) -> None:
    """Read `ubi_queries.jsonl`, `ubi_events.jsonl` and `objects.*` (vectors or texts).

    One file may hold queries and events; it may be named itself, and objects stand beside it.
    """
    files = find_ubi_files(root, intake)
    folder = root if root.is_dir() else root.parent
    objects = find_file(folder, ["objects", "items", "products"], TABULAR, intake)
    if objects is not None:
        add_objects(objects, config, intake)
    if files is None:
        return
    # Pages of one search are repeated rows of it, and impression events know an order only.
    intake.distinct_sessions = intake.ordered_only = True
    shown = survey(files, is_impression)
    pages = Pages()
    for block in files.query_blocks(intake):
        _add_queries(block, shown, pages, intake)
    _add_pages(files.queries.name, pages, intake)
    types = chosen_types(config, IMPORTER.click_types)
    _Events(files, types, shown, pages).add_to(intake)


def is_impression(record: dict[str, Any]) -> bool:
    """Whether an event says that a result was shown."""
    return action(record.get("action_name")) in IMPRESSIONS


def _add_queries(block: RecordBlock, shown: Shown, pages: Pages, intake: Intake) -> None:
    searches = Searches(block.file, "ms")
    for line, record in block.lines():
        hits, query = hits_of(record), record.get("query_id")
        if hits is not None and not isinstance(hits, list):
            what = "query_response_hit_ids must be a list of ids"
            intake.reject("sessions", block.file, line, what, str(hits))
        elif not hits and not shown.has_results(query):
            searches.leave_out_session(query, "searches without results")
        elif hits and (shown.has_pages(query) or shown.is_reused(query)):
            pages.keep(line, record)
        elif shown.is_reused(query) and shown.names_results(query):
            searches.leave_out("sessions", "searches without results")
        elif shown.is_reused(query):
            # Which of the texts an impression event belongs to, nothing says.
            searches.leave_out_session(query, "searches whose query_id has several texts")
        else:
            _add_search(line, record, hits or [], 0, searches)
    searches.send(intake)


def _add_pages(file: str, pages: Pages, intake: Intake) -> None:
    searches = Searches(file, "ms")
    for line, record, results, first in pages.together():
        _add_search(line, record, results, first, searches)
    searches.send(intake)
    if pages.n_reused:
        intake.count_source(SEVERAL_TEXTS, pages.n_reused, pages.n_reused, {})


def _add_search(
    line: int, record: dict[str, Any], results: list[Any], first: int, searches: Searches
) -> None:
    searches.add_session(
        line,
        results,
        list(range(first, first + len(results))),
        session_id=record.get("query_id"),
        user_id=next((record[k] for k in ("client_id", "user_id") if record.get(k)), None),
        query_text=record.get("user_query"),
        created_at=record.get("timestamp"),
    )


class _Events:
    """Clicks, and impressions of searches whose query document names no results."""

    def __init__(self, files: UbiFiles, types: set[str] | None, shown: Shown, pages: Pages) -> None:
        self._files, self._shown, self._pages = files, shown, pages
        self._actions = Actions("action_name", "action", types)

    def add_to(self, intake: Intake) -> None:
        """Read the file, and tell which actions there are if none of them is a click."""
        for block in self._files.event_blocks(intake):
            self._add(block, intake)
        self._actions.tell(self._files.events.name, intake)

    def _add(self, block: RecordBlock, intake: Intake) -> None:
        searches = Searches(block.file, "ms")
        for line, record in block.lines():
            name, query = record.get("action_name"), record.get("query_id")
            is_click = self._actions.is_click(name)
            if not is_click and not is_impression(record):
                self._actions.pass_over(name)
            elif query in (None, ""):
                searches.leave_out("events", "events outside a search")
            elif not is_click:
                self._add_impression(line, record, searches)
            else:
                searches.add_event(
                    line,
                    event_id=f"{block.file}-{line}",
                    session_id=self._pages.search_of(record),
                    object_id=object_of(record),
                    event_type=record.get("action_name"),
                    created_at=record.get("timestamp"),
                )
        searches.send(intake)

    def _add_impression(self, line: int, record: dict[str, Any], searches: Searches) -> None:
        query = record["query_id"]
        if self._shown.names_results(query):
            searches.leave_out("events", "impressions of searches whose query names its results")
            return
        ordinal = nested(record, "event_attributes", "position", "ordinal")
        searches.add_impression(
            line,
            session_id=query,
            position=0 if ordinal is None else ordinal,
            object_id=object_of(record),
        )


IMPORTER = Importer(
    read=read,
    click_types=CLICKS,
    source="OpenSearch User Behavior Insights (ubi_queries, ubi_events)",
    how_made=(
        "A session is a query_id, its pages one after the other; where a query_id comes again with "
        "another text, each text is a session, and a click belongs to the last one before it that "
        "shows its object. Its user is the client_id; its "
        "results are query_response_hit_ids (or query_response_object_ids) in order, or, where a "
        "query names none, the objects of its impression events by position.ordinal. An event is "
        "a click on event_attributes.object.object_id."
    ),
)
