"""The mapping of `source=table`: what it may say, and all that is wrong with it at once."""

from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest
import yaml

from experiments.common.errors import InputError
from experiments.data.importers.mapping import (
    KNOWN_COLUMNS,
    NEEDED_COLUMNS,
    QUOTED,
    TableMapping,
    read_mapping,
)
from experiments.data.importers.where import VALUES, Wanted

GOOD: dict[str, Any] = {
    "items": {"file": "i.parquet", "columns": {"object_id": "sku", "title": "name"}},
    "sessions": {
        "file": "s.csv",
        "columns": {"session_id": "id", "query_text": "q", "created_at": "at"},
    },
    "impressions": {
        "file": "p.csv",
        "columns": {"session_id": "id", "position": "n", "object_id": "sku"},
    },
    "events": {
        "file": "e.csv",
        "columns": {"session_id": "id", "object_id": "sku", "created_at": "at"},
    },
}


def written(folder: Path, content: Any) -> Path:
    text = content if isinstance(content, str) else yaml.safe_dump(content)
    (folder / "m.yaml").write_text(text, encoding="utf-8")
    return folder / "m.yaml"


def complaints(folder: Path, content: Any) -> list[str]:
    path = written(folder, content)
    with pytest.raises(InputError) as raised:
        read_mapping(path)
    heading, *lines = str(raised.value).splitlines()
    assert heading == f"The mapping {str(path)!r} cannot be used:"
    return [line.removeprefix("- ") for line in lines]


def with_key(table: str, key: str, value: Any) -> dict[str, Any]:
    content = deepcopy(GOOD)
    content[table][key] = value
    return content


def test_what_is_not_said_takes_its_default(tmp_path: Path) -> None:
    mapping = read_mapping(written(tmp_path, GOOD))
    assert mapping.time_unit == "s"
    assert mapping.tables == {
        name: TableMapping(table["file"], table["columns"], {}, False, 0)
        for name, table in GOOD.items()
    }


def test_every_key_is_read(tmp_path: Path) -> None:
    content = with_key("events", "where", {"clicked": 1, "kind": ["buy", 2.0, "x"]})
    content["events"] |= {"distinct": True, "first_position": 1}
    mapping = read_mapping(written(tmp_path, {"time_unit": "ms", **content}))
    assert mapping.time_unit == "ms"
    table = mapping.tables["events"]
    assert table.where == {"clicked": Wanted((1,)), "kind": Wanted(("buy", 2.0, "x"))}
    assert (table.distinct, table.first_position) == (True, 1)


@pytest.mark.parametrize("table", list(GOOD))
def test_a_missing_table_is_told(tmp_path: Path, table: str) -> None:
    rest = {name: content for name, content in GOOD.items() if name != table}
    assert complaints(tmp_path, rest) == [f"{table} is missing."]


@pytest.mark.parametrize(("table", "column"), [(t, c) for t in GOOD for c in NEEDED_COLUMNS[t]])
def test_a_missing_column_is_told(tmp_path: Path, table: str, column: str) -> None:
    content = deepcopy(GOOD)
    del content[table]["columns"][column]
    assert complaints(tmp_path, content) == [f"{table}.columns.{column} is missing."]


def test_objects_and_searches_need_one_of_several_columns(tmp_path: Path) -> None:
    content = deepcopy(GOOD)
    del content["items"]["columns"]["title"]
    del content["sessions"]["columns"]["query_text"]
    assert complaints(tmp_path, content) == [
        "items.columns must have one of vector, title, body.",
        "sessions.columns must have one of query_id, query_text.",
    ]


@pytest.mark.parametrize(
    ("key", "value", "said"),
    [
        ("first_position", 2, "events.first_position must be 0 or 1, got 2."),
        ("first_position", True, "events.first_position must be 0 or 1, got True."),
        ("first_position", 1.0, "events.first_position must be 0 or 1, got 1.0."),
        ("first_position", "1", "events.first_position must be 0 or 1, got '1'."),
        ("first_position", None, "events.first_position must be 0 or 1, got None."),
        ("distinct", 1, "events.distinct must be true or false, got 1."),
        ("distinct", "true", "events.distinct must be true or false, got 'true'."),
        ("distinct", None, "events.distinct must be true or false, got None."),
        (
            "where",
            ["clicked"],
            f"events.where must map columns to values ({QUOTED}), got ['clicked'].",
        ),
        (
            "where",
            {True: 1},
            f"events.where must map columns to values ({QUOTED}), got {{True: 1}}.",
        ),
        ("where", {"clicked": []}, "events.where.clicked must name at least one value, got []."),
        (
            "where",
            {"clicked": {"is": 1}},
            f"events.where.clicked must be {VALUES}, got {{'is': 1}}.",
        ),
        ("columns", ["id"], f"events.columns must map names to names ({QUOTED}), got ['id']."),
        (
            "columns",
            {"session_id": 1},
            f"events.columns must map names to names ({QUOTED}), got {{'session_id': 1}}.",
        ),
        (
            "columns",
            {"session_id": False},
            f"events.columns must map names to names ({QUOTED}), got {{'session_id': False}}.",
        ),
        (
            "fields",
            {},
            "events.fields is no key; keys are file, columns, where, distinct, first_position.",
        ),
    ],
)
def test_a_bad_key_of_a_table_is_told(tmp_path: Path, key: str, value: Any, said: str) -> None:
    assert complaints(tmp_path, with_key("events", key, value)) == [said]


def test_all_that_is_wrong_is_told_at_once(tmp_path: Path) -> None:
    content = deepcopy(GOOD)
    content |= {"clicks": {}, "time_unit": "hours", "items": "i.parquet"}
    content["events"]["columns"]["user"] = "who"
    unit, unknown, items, column = complaints(tmp_path, content)
    assert unit.startswith("time_unit must be one of ")
    assert unit.endswith(", got 'hours'.")
    assert (
        unknown == "clicks is no table; tables are items, queries, sessions, impressions, events."
    )
    assert items == "items must have a file and columns, got 'i.parquet'."
    known = ", ".join(KNOWN_COLUMNS["events"])
    assert column == f"events.columns.user is no column; columns are {known}."


@pytest.mark.parametrize("text", ["- items", "", "items"])
def test_a_file_that_is_no_map_is_refused(tmp_path: Path, text: str) -> None:
    path = written(tmp_path, text)
    with pytest.raises(InputError, match=r"^mapping must hold a table a key, got ") as raised:
        read_mapping(path)
    assert str(raised.value).endswith(f"{yaml.safe_load(text)!r} in {str(path)!r}.")


@pytest.mark.parametrize("text", ["a: [", "a: !!python/object/apply:os.getcwd []", None])
def test_a_file_that_cannot_be_read_as_plain_yaml_is_refused(
    tmp_path: Path, text: str | None
) -> None:
    path = tmp_path / "m.yaml" if text is None else written(tmp_path, text)
    with pytest.raises(InputError) as raised:
        read_mapping(path)
    said = str(raised.value)
    assert said.startswith("mapping must be a plain YAML file (no tags that build objects), got ")
    assert "\n" not in said
