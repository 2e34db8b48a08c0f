"""What the importers share: finding files, plain values, rows with their lines, objects."""

import gzip
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from experiments.config.data import IngestConfig
from experiments.data.importers.base import (
    Searches,
    add_objects,
    chosen_types,
    find_file,
    unwrap,
)
from experiments.data.intake.intake import Intake
from experiments.data.intake.rejections import Rejections
from experiments.data.intake.staging import Staging
from experiments.data.intake.vector_intake import VectorIntake


class Desk:
    """A real intake in a folder of its own, and what has come in."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir()
        self.config = IngestConfig(source="mind", path="in", output="out")
        self._staging = Staging(folder, 1)
        self._rejections = Rejections(folder)
        self.vectors = VectorIntake(folder, self.config)
        self.intake = Intake(
            folder, self._staging, self.vectors, self._rejections, lambda n_rows: None
        )

    def tables(self) -> dict[str, list[dict[str, Any]]]:
        self._staging.finish()
        [part] = self._staging.iter_parts()
        return {name: rows.to_pylist() for name, rows in part.items()}

    def said(self) -> str:
        return self._rejections.describe()

    def close(self) -> None:
        self.intake.finish()
        self.vectors.close()
        self._rejections.close()


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    made = Desk(tmp_path / "work")
    yield made
    made.close()


def test_the_likeliest_name_is_found_first(tmp_path: Path, desk: Desk) -> None:
    for name in ("items.csv", "products.jsonl", "products.csv.gz"):
        (tmp_path / name).touch()
    stems, suffixes = ["products", "items"], [".csv", ".jsonl"]
    assert find_file(tmp_path, stems, suffixes, desk.intake) == tmp_path / "products.csv.gz"
    assert find_file(tmp_path, stems[1:], suffixes, desk.intake) == tmp_path / "items.csv"


def test_a_folder_of_the_name_is_no_file(tmp_path: Path, desk: Desk) -> None:
    (tmp_path / "items.csv").mkdir()
    assert find_file(tmp_path, ["items"], [".csv"], desk.intake, needed=False) is None
    assert desk.said() == ""


def test_only_a_needed_file_is_missed(tmp_path: Path, desk: Desk) -> None:
    assert find_file(tmp_path, ["users"], [".csv"], desk.intake, needed=False) is None
    assert find_file(tmp_path, ["items", "products"], [".csv"], desk.intake) is None
    assert f"items.csv: the file is missing in {tmp_path} (or with another suffix)" in desk.said()
    assert "users" not in desk.said()


def test_the_users_click_types_go_before_the_importers() -> None:
    def config(types: list[str] | None) -> IngestConfig:
        return IngestConfig(source="mind", path="in", output="out", click_types=types)

    assert chosen_types(config(None), None) is None
    assert chosen_types(config(None), ("click", "buy")) == {"click", "buy"}
    assert chosen_types(config(["cart"]), ("click", "buy")) == {"cart"}
    assert chosen_types(config([]), ("click",)) == set()


@pytest.mark.parametrize(
    ("wrapped", "plain"),
    [
        ({"$numberLong": "-12"}, -12),
        ({"$numberInt": 5}, 5),
        ({"$numberLong": "1.5"}, "1.5"),
        ({"$numberDouble": "0.5"}, "0.5"),
        ({"$date": "2024-05-01T00:00:00Z"}, "2024-05-01T00:00:00Z"),
        ({"$date": {"$numberLong": "1700000000999"}}, 1_700_000_000),
        ({"$uuid": "ab-cd"}, "ab-cd"),
        ({"$oid": "ab", "more": 1}, {"$oid": "ab", "more": 1}),
        ({"name": 1}, {"name": 1}),
        (None, None),
    ],
)
def test_extended_json_becomes_plain(wrapped: Any, plain: Any) -> None:
    assert unwrap(wrapped) == plain


def test_searches_arrive_with_their_results_from_the_top(desk: Desk) -> None:
    block = Searches("log.jsonl", "ms")
    block.add_session(4, ["b", "a"], session_id="s1", query_text="shoes", created_at=5_000)
    block.add_session(6, ["c"], [2], session_id="s2", query_text="coat", created_at=6_000)
    block.add_event(9, event_id="e", session_id="s1", object_id="a", created_at=7_999)
    block.send(desk.intake)
    tables = desk.tables()
    assert [(row["session_id"], row["created_at"]) for row in tables["sessions"]] == [
        ("s1", 5),
        ("s2", 6),
    ]
    shown = [(r["session_id"], r["position"], r["object_id"]) for r in tables["impressions"]]
    assert shown == [("s1", 0, "b"), ("s1", 1, "a"), ("s2", 2, "c")]
    assert [(row["object_id"], row["created_at"]) for row in tables["events"]] == [("a", 7)]
    assert {table: n for table, n in desk.intake.n_in.items() if n} == {
        "sessions": 2,
        "impressions": 3,
        "events": 1,
    }


def test_a_bad_row_is_named_by_its_line(desk: Desk) -> None:
    block = Searches("log.jsonl")
    block.add_session(4, ["a", ""], session_id="s1", query_text="shoes", created_at=5)
    block.send(desk.intake)
    assert desk.said() == (
        "log.jsonl: impressions: column object_id must not be an empty string "
        "(1 row; rows count from 1):\n  row 4: got ''"
    )


def test_rows_that_say_nothing_are_counted_by_reason(desk: Desk) -> None:
    block = Searches("log.jsonl")
    for why in ("no click", "no user", "no click"):
        block.leave_out("events", why)
    block.send(desk.intake)
    assert desk.intake.left_out == {"events": {"no click": 2, "no user": 1}}
    assert desk.intake.n_in["events"] == 3


def test_adjusted_copies_are_no_originals(tmp_path: Path, desk: Desk) -> None:
    table = pa.table(
        {
            "id": ["a", "a", "b"],
            "vector": pa.array([[1, 0], [0, 1], [1, 1]], pa.list_(pa.float32())),
            "user_id": [None, "ann", ""],
        }
    )
    pq.write_table(table, tmp_path / "items.parquet")
    add_objects(tmp_path / "items.parquet", desk.config, desk.intake)
    assert sorted(desk.vectors.ids("items").to_pylist()) == ["a", "b"]
    assert desk.intake.left_out == {"items": {"adjusted copies, no originals": 1}}
    assert desk.said() == ""


def test_vectors_are_read_from_compressed_json_lines(tmp_path: Path, desk: Desk) -> None:
    lines = [json.dumps({"object_id": name, "vector": [1.0, 2.0]}) for name in "ab"]
    (tmp_path / "items.jsonl.gz").write_bytes(gzip.compress("\n".join(lines).encode()))
    add_objects(tmp_path / "items.jsonl.gz", desk.config, desk.intake)
    assert sorted(desk.vectors.ids("items").to_pylist()) == ["a", "b"]
    assert desk.vectors.index().dimensions == 2


def test_objects_of_neither_vectors_nor_texts_are_refused(tmp_path: Path, desk: Desk) -> None:
    (tmp_path / "items.csv").write_text("object_id,price\na,3\n")
    add_objects(tmp_path / "items.csv", desk.config, desk.intake)
    assert (
        "items.csv: must have the columns object_id and vector (or title, text), "
        "got object_id, price" in desk.said()
    )
    assert desk.intake.n_in.get("items", 0) == 0
