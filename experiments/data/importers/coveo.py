"""The SIGIR eCom 2021 data challenge by Coveo: `search_train.csv` and `sku_to_content.csv`."""

import hashlib
import json
from pathlib import Path
from typing import Any

from experiments.data.importers.base import Flat, Importer, find_file
from experiments.data.intake import Intake
from experiments.data.readers import Columns, read_csv
from experiments.data_config import IngestConfig

SEARCH_COLUMNS = (
    "session_id_hash",
    "query_vector",
    "clicked_skus_hash",
    "product_skus_hash",
    "server_timestamp_epoch_ms",
)
CONTENT_COLUMNS = ("product_sku_hash", "description_vector")


def read(root: Path, _: IngestConfig, intake: Intake) -> None:
    """Read the searches and the products' description vectors."""
    searches = find_file(root, ["search_train"], [".csv"], intake)
    content = find_file(root, ["sku_to_content"], [".csv"], intake)
    if content is not None:
        for block in read_csv(content, "items", intake):
            if not has_columns(block, CONTENT_COLUMNS, intake):
                break
            _add_products(block, intake)
    if searches is not None:
        queries: set[str] = set()
        for block in read_csv(searches, "sessions", intake):
            if not has_columns(block, SEARCH_COLUMNS, intake):
                break
            _add_searches(block, queries, intake)


def has_columns(block: Columns, names: tuple[str, ...], intake: Intake) -> bool:
    """Whether a block has these columns; what is missing is reported."""
    missing = [name for name in names if name not in block.columns]
    if missing:
        there = ", ".join(block.columns) or "no columns"
        intake.fatal(block.file, f"column {', '.join(missing)} is missing; the file has {there}")
    return not missing


def _add_products(block: Columns, intake: Intake) -> None:
    vectors = block.columns["description_vector"]
    known = [vector is not None for vector in vectors.to_pylist()]
    intake.leave_out("items", "products without a description", known.count(False))
    columns = {"object_id": block.columns["product_sku_hash"].filter(known)}
    intake.add("items", block.file, block.rows[known], columns | {"vector": vectors.filter(known)})


def _add_searches(block: Columns, queries: set[str], intake: Intake) -> None:
    sessions = Flat.empty(("session_id", "user_id", "query_id", "created_at"))
    impressions = Flat.empty(("session_id", "position", "object_id"))
    events = Flat.empty(("event_id", "session_id", "object_id", "created_at"))
    vectors = Flat.empty(("query_id", "vector"))
    n_empty = n_blind = 0
    values = [block.columns[name].to_pylist() for name in SEARCH_COLUMNS]
    for row, visit, vector, clicked, shown, at in zip(block.rows.tolist(), *values, strict=True):
        if vector is None:
            n_blind += 1
            continue
        products, clicks = parse_list(shown), parse_list(clicked)
        if products is None or clicks is None:
            what = "product_skus_hash and clicked_skus_hash must be lists"
            intake.reject("sessions", block.file, row, what, f"{shown}, {clicked}")
            continue
        if not products:
            n_empty += 1
            continue
        name, query = f"{visit}-{row}", query_mark(vector)
        if query not in queries:
            queries.add(query)
            vectors.extend(row, {"query_id": [query], "vector": [vector]})
        session = {"session_id": [name], "user_id": [visit], "query_id": [query]}
        sessions.extend(row, {**session, "created_at": [at]})
        places = list(range(len(products)))
        shown_rows: dict[str, list[Any]] = {
            "session_id": [name] * len(products),
            "position": places,
        }
        impressions.extend(row, {**shown_rows, "object_id": products})
        made = {
            "event_id": [f"{name}-{number}" for number in range(len(clicks))],
            "session_id": [name] * len(clicks),
        }
        events.extend(row, {**made, "object_id": clicks, "created_at": [at] * len(clicks)})
    intake.leave_out("sessions", "searches without a query vector", n_blind)
    intake.leave_out("sessions", "searches without results", n_empty)
    vectors.send(intake, "queries", block.file)
    sessions.send(intake, "sessions", block.file, time_unit="ms")
    impressions.send(intake, "impressions", block.file)
    events.send(intake, "events", block.file, time_unit="ms")


def parse_list(text: str | None) -> list[Any] | None:
    """A list as this data set writes it, empty where there is none; None if it is no list.

    Example:
        >>> parse_list("['a', 'b']"), parse_list(None), parse_list("a")
        (['a', 'b'], [], None)
    """
    if text is None:
        return []
    try:
        value = json.loads(text.replace("'", '"'))
    except (ValueError, RecursionError):
        return None
    return value if isinstance(value, list) else None


def query_mark(vector: str) -> str:
    """An id for a query of which only the vector is known."""
    return "q-" + hashlib.sha256(vector.encode()).hexdigest()[:24]


IMPORTER = Importer(
    read=read,
    click_types=None,
    source="SIGIR eCom 2021 data challenge, Coveo (search_train.csv, sku_to_content.csv)",
    licence="see the terms of the Coveo data challenge: for research, not to be redistributed",
    how_made=(
        "A session is one search, its user the browsing session (users are not known beyond it); "
        "results in the order given; objects have their description vector as their one part. A "
        "click has the time of its search, the only one the log knows."
    ),
)
