"""What the fuzzer feeds beside logs: the files of a data set, of a study, and a best.yaml.

Each target writes bytes in place of one sound file and reads it as the product does.
"""

import contextlib
import io
import json
import shutil
import tempfile
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from omegaconf import OmegaConf

from adjuster.index import SearchIndexInfo
from experiments.common.errors import InputError
from experiments.common.files import to_yaml
from experiments.config.commands import SweepConfig
from experiments.config.saved import read_config
from experiments.data.format.folder import load_click_log, vector_column, write_click_log
from experiments.data.format.metadata import Metadata
from experiments.data.format.schema import TABLES, file_of
from experiments.data.importers.mapping import read_mapping
from experiments.replay.position.propensity_file import read_propensities
from experiments.study.storage import journal_path, open_storage
from experiments.study_folder.finalist_files import (
    FINALISTS,
    FOLDER,
    IMPORTANCES,
    read_finalists,
    read_importances,
    read_sessions,
)
from experiments.study_folder.finished_study import read_trials
from experiments.study_folder.ledger_file import NAME as LEDGER
from experiments.study_folder.ledger_file import LedgerFile
from experiments.study_folder.session_table import COLUMNS, TRAITS
from experiments.study_folder.summary import read_summary

SUMMARY = {
    "study": "s",
    "dataset": {"name": "d", "fingerprint": "f", "n_sessions": 1, "n_users": 1},
    "objective": "ndcg@10",
    "trials": {"complete": 1, "pruned": 0, "failed": 0},
    "no_adjustment": {"params": {}, "metrics": {"ndcg@10": 0.5}},
    "published_defaults": None,
    "best": {"params": {"num_iterations": 3}, "metrics": {"ndcg@10": 0.6}},
    "tune_gain": None,
    "seconds": {"total": 1.0, "per_trial_median": None, "overhead_per_trial_median": 0.1},
}
TRIALS = b"number,state,reason,value,seconds,param_x\n0,complete,,.5,.1,.5\n"
JOURNAL = (
    b'{"op_code":0,"worker_id":"w","study_name":"s","directions":[2]}\n'
    b'{"op_code":4,"worker_id":"w","study_id":0,"datetime_start":"2024-05-01T10:00:00"}\n'
    b'{"op_code":5,"worker_id":"w","trial_id":0,"param_name":"x","param_value_internal":0.5,'
    b'"distribution":"{\\"name\\": \\"FloatDistribution\\", \\"attributes\\": {\\"step\\": null, '
    b'\\"low\\": 0.0, \\"high\\": 1.0, \\"log\\": false}}"}\n'
    b'{"op_code":6,"worker_id":"w","trial_id":0,"state":1,"values":[0.5],'
    b'"datetime_complete":"2024-05-01T10:00:01"}\n'
)
MAPPING = (
    b"time_unit: s\n"
    b"items: {file: i.csv, columns: {object_id: a, title: b}}\n"
    b"sessions: {file: '*.csv', distinct: true, columns: {session_id: a, query_text: b, "
    b"created_at: c}}\n"
    b"impressions: {file: i.csv, first_position: 1, columns: {session_id: a, position: b, "
    b"object_id: c}}\n"
    b"events: {file: i.csv, where: {clicked: [true, 1, x]}, columns: {session_id: a, "
    b"object_id: b, created_at: c}}\n"
)
PROPENSITIES = b"position,propensity\n0,1.0\n1,0.5\n"
NO_TABLE = (
    ValueError,
    TypeError,
    AttributeError,
    RecursionError,
    OverflowError,
    pa.ArrowException,
)
"""What making a table of rows that are none raises."""


class Target(NamedTuple):
    """One kind of file.

    Args:
        name: Of its sample in the corpus.
        sample: A sound one.
        feed: Takes an empty folder and bytes, and reads them.
    """

    name: str
    sample: bytes
    feed: Callable[[Path, bytes], object]


@cache
def dataset_files() -> dict[str, bytes]:
    """The files of a small data set."""
    vectors = vector_column(np.array([[1, 0], [0.6, 0.8]], np.float32))
    tables = {
        "items": pa.table({"object_id": ["a", "b"], "vector": vectors, "title": ["A", None]}),
        "queries": pa.table({"query_id": ["q", "r"], "vector": vectors, "text": ["Q", None]}),
        "sessions": pa.table(
            {"session_id": ["s"], "user_id": ["u"], "query_id": ["q"], "created_at": [17]}
        ),
        "impressions": pa.table(
            {
                "session_id": ["s", "s"],
                "position": pa.array([0, 1], pa.int32()),
                "object_id": ["a", "b"],
                "relevance": pa.array([1.0, None], pa.float32()),
            }
        ),
        "events": pa.table(
            {"event_id": ["e"], "session_id": ["s"], "object_id": ["b"], "created_at": [19]}
        ),
    }
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name) / "set"
        write_click_log(folder, Metadata("tiny", SearchIndexInfo(2)), tables)
        return {path.name: path.read_bytes() for path in folder.iterdir()}


def feed_dataset(name: str) -> Callable[[Path, bytes], object]:
    """A target that loads a data set with one of its files replaced."""

    def feed(folder: Path, content: bytes) -> None:
        for file, sound in dataset_files().items():
            (folder / file).write_bytes(content if file == name else sound)
        load_click_log(folder)

    return feed


def feed_rows(table: str) -> Callable[[Path, bytes], object]:
    """A target whose bytes are a table as JSON lines: whole Parquet with wrong content."""

    file = file_of(table)

    def feed(folder: Path, content: bytes) -> None:
        schema = pq.read_schema(io.BytesIO(dataset_files()[file]))
        try:
            rows = table_of([json.loads(line) for line in content.splitlines()], schema)
            sink = io.BytesIO()
            pq.write_table(rows, sink)
        except NO_TABLE:
            return
        feed_dataset(file)(folder, sink.getvalue())

    return feed


def table_of(rows: list[Any], schema: pa.Schema) -> pa.Table:
    """A table of rows: of the format's types if they fit, of their own if not."""
    try:
        return pa.Table.from_pylist(rows, schema=schema)
    except NO_TABLE:
        return pa.Table.from_pylist(rows)


def rows_of(table: str) -> bytes:
    """A sound table as JSON lines."""
    read = pq.read_table(io.BytesIO(dataset_files()[file_of(table)]))
    return b"".join(json.dumps(row).encode() + b"\n" for row in read.to_pylist())


def feed_file(name: str, read: Callable[[Path], object]) -> Callable[[Path, bytes], object]:
    """A target that reads one file by itself."""

    def feed(folder: Path, content: bytes) -> None:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
        read(path)

    return feed


def feed_evidence(name: str, read: Callable[[Path], object]) -> Callable[[Path, bytes], object]:
    """A target that reads one file of a study's evidence."""
    return feed_file(f"{FOLDER}/{name}", lambda path: read(path.parents[1]))


def feed_journal(folder: Path, content: bytes) -> None:
    """Open a study whose journal is damaged, and read what is left of it."""
    path = journal_path(str(folder), "s")
    path.parent.mkdir(parents=True)
    path.write_bytes(content)
    opened = open_storage(None, str(folder), "s")
    for study in opened.storage.get_all_studies():
        opened.storage.get_all_trials(study._study_id)
    opened.close()


def session_rows() -> bytes:
    """A session table of one row, as Parquet."""
    columns: dict[str, list[Any]] = {name: [0] for name in (*COLUMNS, *TRAITS)}
    columns |= {"before_mrr": [0.5], "after_mrr": [0.6], "reached": [True]}
    sink = io.BytesIO()
    pq.write_table(pa.table(columns), sink)
    return sink.getvalue()


def best_yaml() -> bytes:
    """A sound best.yaml."""
    plain = OmegaConf.to_container(OmegaConf.structured(SweepConfig), throw_on_missing=False)
    assert isinstance(plain, dict)
    given = {"dataset": {"name": "simulated"}, "study": {"name": "s"}}
    return to_yaml({"defaults": ["sweep_schema", "_self_"], **plain, **given}).encode()


def parquet_propensities() -> bytes:
    """A sound table of propensities."""
    sink = io.BytesIO()
    pq.write_table(pa.table({"position": [0, 1], "propensity": [1.0, 0.5]}), sink)
    return sink.getvalue()


def as_json(data: object) -> bytes:
    """Data as the product writes them."""
    return json.dumps(data).encode()


TARGETS = [
    *(
        Target(f"dataset-{name}", data, feed_dataset(name))
        for name, data in dataset_files().items()
    ),
    *(Target(f"rows-{table}", rows_of(table), feed_rows(table)) for table in TABLES),
    Target("best.yaml", best_yaml(), feed_file("best.yaml", read_config)),
    Target("mapping.yaml", MAPPING, feed_file("mapping.yaml", read_mapping)),
    Target("journal", JOURNAL, feed_journal),
    Target("summary.json", as_json(SUMMARY), feed_file("summary.json", read_summary)),
    Target(
        "trials.csv",
        TRIALS,
        feed_file("t.csv", read_trials),
    ),
    Target("finalists", as_json([]), feed_evidence(FINALISTS, read_finalists)),
    Target("importances", as_json({"x": 0.5}), feed_evidence(IMPORTANCES, read_importances)),
    Target(
        "tune-sessions",
        session_rows(),
        feed_evidence("tune-0.parquet", lambda folder: read_sessions(folder, "tune", 0)),
    ),
    Target(
        "ledger",
        as_json({"f": [{"study": "s"}]}),
        feed_file(LEDGER, lambda path: LedgerFile(path.parent).read("f")),
    ),
    *(
        Target(
            f"propensity{suffix}",
            sample,
            feed_file(f"p{suffix}", lambda path: read_propensities(path, 2)),
        )
        for suffix, sample in (
            (".csv", PROPENSITIES),
            (".json", as_json({"0": 1.0, "1": 0.5})),
            (".parquet", parquet_propensities()),
        )
    ),
]


def feed_state(target: Target, folder: Path, content: bytes) -> None:
    """Feed one target; only an `InputError` may come of it."""
    inside = folder / "state"
    shutil.rmtree(inside, ignore_errors=True)
    inside.mkdir()
    with contextlib.suppress(InputError):
        target.feed(inside, content)
