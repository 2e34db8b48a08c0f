"""A small data set, and a way to write it with something changed."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from adjuster.index import SearchIndexInfo
from experiments.data.format.folder import vector_column, write_click_log
from experiments.data.format.metadata import Metadata
from tests.experiments.data.studio_log import (
    VECTORS,
    event,
    events,
    objects,
    session,
    sessions,
)

Tables = dict[str, pa.Table]


def make_tables() -> Tables:
    """Three objects (one of two parts), two queries, three sessions, three events."""
    return {
        "items": pa.table(
            {
                "object_id": ["a", "a", "b", "c"],
                "vector": vector_column(np.array([[1, 0], [0.6, 0.8], [0, 1], [-1, 0]], "f4")),
                "is_average": [False, True, False, False],
                "title": ["A", "A", "B", None],
            }
        ),
        "queries": pa.table(
            {
                "query_id": ["q1", "q2"],
                "vector": vector_column(np.array([[1, 1], [0, -1]], "f4")),
                "text": ["one", None],
            }
        ),
        "sessions": pa.table(
            {
                "session_id": ["s3", "s1", "s2"],
                "user_id": ["u2", "u1", None],
                "query_id": ["q1", "q1", "q2"],
                "created_at": pa.array([300, 100, 200], pa.int64()),
                "is_irrelevant": [False, False, True],
                "segment": [None, "shop", None],
            }
        ),
        "impressions": pa.table(
            {
                "session_id": ["s1", "s1", "s1", "s2", "s3", "s3"],
                "position": pa.array([0, 1, 2, 0, 0, 1], pa.int32()),
                "object_id": ["a", "b", "c", "b", "c", "a"],
                "relevance": pa.array([1.0, None, 0.5, None, 0, 2], pa.float32()),
                "propensity": pa.array([1.0, 0.5, 0.25, 1, None, None], pa.float32()),
            }
        ),
        "events": pa.table(
            {
                "event_id": ["e1", "e2", "e3"],
                "session_id": ["s1", "s3", "s1"],
                "object_id": ["b", "c", "a"],
                "event_type": ["click", "click", "buy"],
                "created_at": pa.array([110, 305, 120], pa.int64()),
            }
        ),
    }


@pytest.fixture
def metadata() -> Metadata:
    return Metadata("tiny", SearchIndexInfo(2), source="by hand", licence="none", how_made="typed")


@pytest.fixture
def tables() -> Tables:
    return make_tables()


@pytest.fixture
def folder(tmp_path: Path, metadata: Metadata, tables: Tables) -> Path:
    write_click_log(tmp_path / "tiny", metadata, tables)
    return tmp_path / "tiny"


@pytest.fixture
def change(folder: Path) -> Callable[..., Path]:
    """Write a table again with columns replaced: `change("items", title=[...])`."""

    def write(table: str, drop: tuple[str, ...] = (), **columns: object) -> Path:
        data = pq.read_table(folder / f"{table}.parquet")
        kept = {name: data[name] for name in data.column_names if name not in drop}
        pq.write_table(pa.table({**kept, **columns}), folder / f"{table}.parquet")
        return folder

    return write


@pytest.fixture
def log(tmp_path) -> Path:
    """A sound log of two sessions, in the format of Embedding Studio."""
    folder = tmp_path / "log"
    folder.mkdir()
    sessions(folder, session(), session("s2", at=1_700_000_100, shown=("b", "a")))
    events(folder, event(), event("e2", "s2", "a"))
    objects(folder, *VECTORS.items())
    (folder / "queries.csv").write_text('object_id,vector\nq,"[1, 2]"\n')
    return folder
