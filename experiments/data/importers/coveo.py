"""The SIGIR eCom 2021 data challenge by Coveo: `search_train.csv` and `sku_to_content.csv`."""

import hashlib
import json
from pathlib import Path
from typing import Any

from experiments.config.data import IngestConfig
from experiments.data.importers.base import Importer, Searches, find_file
from experiments.data.intake.intake import Intake
from experiments.data.readers.csv_file import CsvForm, read_csv
from experiments.data.readers.row_blocks import RowBlock, filtered

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
    searches = find_file(root, ["search_train", "search_train_sample"], [".csv"], intake)
    content = find_file(root, ["sku_to_content", "sku_to_content_sample"], [".csv"], intake)
    if content is not None:
        for block in read_csv(content, "items", intake, CsvForm(",")):
            if not has_columns(block, CONTENT_COLUMNS, intake):
                break
            _add_products(block, intake)
    if searches is not None:
        queries: set[str] = set()
        for block in read_csv(searches, "sessions", intake, CsvForm(",")):
            if not has_columns(block, SEARCH_COLUMNS, intake):
                break
            _add_searches(block, queries, intake)


def has_columns(block: RowBlock, names: tuple[str, ...], intake: Intake) -> bool:
    """Whether a block has these columns; what is missing is reported."""
    missing = [name for name in names if name not in block.columns]
    if missing:
        there = ", ".join(block.columns) or "no columns"
        intake.reject_file(
            block.file, f"column {', '.join(missing)} is missing; the file has {there}"
        )
    return not missing


def _add_products(block: RowBlock, intake: Intake) -> None:
    vectors = block.columns["description_vector"]
    known = vectors.is_valid().to_numpy(zero_copy_only=False)
    intake.leave_out("items", "products without a description", int((~known).sum()))
    products = filtered(block, known)
    columns = {"object_id": "product_sku_hash", "vector": "description_vector"}
    taken = {name: products.columns[column] for name, column in columns.items()}
    intake.add("items", block.file, products.rows, taken)


def _add_searches(block: RowBlock, queries: set[str], intake: Intake) -> None:
    searches = Searches(block.file, "ms")
    values = [block.columns[name].to_pylist() for name in SEARCH_COLUMNS]
    for line, visit, vector, clicked, shown, at in zip(block.rows.tolist(), *values, strict=True):
        products, clicks = parse_list(shown), parse_list(clicked)
        if vector is None:
            searches.leave_out("sessions", "searches without a query vector")
        elif products is None or clicks is None:
            what = "product_skus_hash and clicked_skus_hash must be lists"
            intake.reject("sessions", block.file, line, what, f"{shown}, {clicked}")
        elif not products:
            searches.leave_out("sessions", "searches without results")
        else:
            query = query_mark(vector)
            if query not in queries:
                queries.add(query)
                searches.add_query(line, query_id=query, vector=vector)
            name = visit and f"{visit}-{line}"
            owner = {"session_id": name, "created_at": at}
            searches.add_session(line, products, user_id=visit, query_id=query, **owner)
            for number, product in enumerate(clicks):
                event = f"{name}-{number}"
                searches.add_event(line, event_id=event, object_id=product, **owner)
    searches.send(intake)


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
