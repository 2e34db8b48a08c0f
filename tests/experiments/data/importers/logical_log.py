"""A small click log in no format, drawn by Hypothesis: each source's test writes it its own way."""

import gzip
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
from hypothesis import strategies as st

from adjuster.index import SearchIndexInfo
from experiments.config.data import IngestConfig
from experiments.data.format.click_log import ClickLog
from experiments.data.format.folder import load_click_log, vector_column, write_click_log
from experiments.data.format.metadata import Metadata
from experiments.data.ingestion import ingest_log
from experiments.data.intake.intake import query_id_of
from experiments.data.texts.encoders import WordLlamaEncoder

QUERIES = ("red shoes", "warm coat", "Käse 🧀")
TITLES = ("running shoe", "winter coat", "cheese", "silk hat", "blue bag")
ITEMS = tuple(f"item-{n}" for n in range(len(TITLES)))


@dataclass(frozen=True)
class Search:
    """One search: who, what, when (seconds), the items shown, and the clicked ones' times."""

    name: str
    user: str | None
    query: str
    at: int
    shown: list[str]
    clicks: dict[str, int]


@st.composite
def searches(draw: st.DrawFn, *, users: bool = True, click_delays: bool = True) -> list[Search]:
    """A few searches with at least one click among them."""
    found = []
    for number in range(draw(st.integers(1, 6))):
        shown = draw(st.permutations(ITEMS))[: draw(st.integers(1, len(ITEMS)))]
        clicked = draw(st.sets(st.sampled_from(shown), min_size=1 if number == 0 else 0))
        at = draw(st.integers(1_500_000_000, 1_600_000_000))
        delay = st.integers(0, 9) if click_delays else st.just(0)
        user = draw(st.sampled_from(["ann", "bob", None] if users else [None]))
        clicks = {item: at + draw(delay) for item in sorted(clicked)}
        query = draw(st.sampled_from(QUERIES))
        found.append(Search(f"s{number}", user, query, at, list(shown), clicks))
    return found


def expected_log(
    path: Path,
    log: list[Search],
    *,
    event_id: Any = lambda search, item: f"{search.name}-{item}",
    items: pa.Table | None = None,
) -> ClickLog:
    """The log written straight in the format: what an import must come to."""
    encoder = WordLlamaEncoder()
    texts = sorted({search.query for search in log})
    rows = [(s, place, item) for s in log for place, item in enumerate(s.shown)]
    clicks = [(s, item, at) for s in log for item, at in s.clicks.items()]
    tables = {
        "items": items if items is not None else title_items(),
        "queries": pa.table(
            {
                "query_id": [query_id_of(text) for text in texts],
                "vector": vector_column(encoder.encode(texts)),
                "text": texts,
            }
        ),
        "sessions": pa.table(
            {
                "session_id": [s.name for s in log],
                "user_id": pa.array([s.user for s in log], pa.string()),
                "query_id": [query_id_of(s.query) for s in log],
                "created_at": [s.at for s in log],
            }
        ),
        "impressions": pa.table(
            {
                "session_id": [s.name for s, _, _ in rows],
                "position": [place for _, place, _ in rows],
                "object_id": [item for _, _, item in rows],
            }
        ),
        "events": pa.table(
            {
                "event_id": [event_id(s, item) for s, item, _ in clicks],
                "session_id": [s.name for s, _, _ in clicks],
                "object_id": [item for _, item, _ in clicks],
                "created_at": [at for _, _, at in clicks],
            }
        ),
    }
    dimensions = tables["items"].schema.field("vector").type.list_size
    write_click_log(path / "expected", Metadata("x", SearchIndexInfo(dimensions)), tables)
    return load_click_log(path / "expected")


def title_items() -> pa.Table:
    """The items by their titles, one part each."""
    vectors = WordLlamaEncoder().encode(TITLES)
    columns = {"object_id": list(ITEMS), "vector": vector_column(vectors), "title": list(TITLES)}
    return pa.table(columns)


def ingest(source: str, path: Path, **settings: Any) -> ClickLog:
    """Import a folder and read what came of it."""
    output = path.parent / f"{path.name}-out"
    ingest_log(IngestConfig(source=source, path=str(path), output=str(output), **settings))
    return load_click_log(output)


def write_json_lines(path: Path, records: list[Any], seed: int = 0) -> None:
    """Write records in any order, compressed if the name says so."""
    shuffled = np.random.default_rng(seed).permutation(len(records))
    text = "".join(json.dumps(records[n], ensure_ascii=bool(n % 2)) + "\n" for n in shuffled)
    path.parent.mkdir(parents=True, exist_ok=True)
    data = text.encode()
    path.write_bytes(gzip.compress(data) if path.suffix == ".gz" else data)
