"""Readers take what is sound, report what is not with its row, and never break."""

import bz2
import gzip
import json
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from experiments.data.readers.any_file import format_of, read_parquet, read_table
from experiments.data.readers.csv_file import CsvForm, read_csv
from experiments.data.readers.json_lines import BLOCK_ROWS, read_json_lines


class Notebook:
    """Takes down complaints."""

    def __init__(self) -> None:
        self.rejected: list[tuple[int, str]] = []
        self.broken: list[tuple[str, str]] = []

    def reject(self, table, file, row, what, content):
        self.rejected.append((row, what))

    def reject_file(self, file, what):
        self.broken.append((file, what))


def json_rows(path):
    notebook = Notebook()
    blocks = list(read_json_lines(path, "events", notebook))
    rows = [pair for block in blocks for pair in block.lines()]
    return rows, notebook


def csv_rows(path, **settings):
    notebook = Notebook()
    rows = []
    for block in read_csv(path, "events", notebook, **settings):
        values = zip(*(column.to_pylist() for column in block.columns.values()), strict=True)
        rows += list(zip(block.rows.tolist(), values, strict=True))
    return rows, notebook


def test_json_lines_come_with_their_numbers(tmp_path):
    path = tmp_path / "log.jsonl"
    path.write_bytes(b'\xef\xbb\xbf{"a": 1}\r\n\n  \n{"b": "\xc3\xa4"}')
    assert json_rows(path)[0] == [(1, {"a": 1}), (4, {"b": "ä"})]


@pytest.mark.parametrize(
    "line",
    [b"{", b"[1]", b"3", b"null", b'{"a": 1} x', b"[" * 5_000, b'{"a": ' + b"9" * 9_000 + b"}"],
)
def test_a_line_that_is_no_object_is_reported(tmp_path, line):
    (tmp_path / "log.jsonl").write_bytes(b'{"a": 1}\n' + line + b'\n{"a": 2}\n')
    rows, notebook = json_rows(tmp_path / "log.jsonl")
    assert [row for row, _ in rows] == [1, 3]
    assert notebook.rejected == [(2, "a line must be one whole JSON object")]


def test_a_line_of_another_encoding_is_reported(tmp_path):
    (tmp_path / "log.jsonl").write_bytes(b'{"a": "\xe4"}\n{"a": 2}\n')
    rows, notebook = json_rows(tmp_path / "log.jsonl")
    assert [row for row, _ in rows] == [2]
    assert notebook.rejected == [(1, "a line must be UTF-8 text")]


@pytest.mark.parametrize(("suffix", "pack"), [(".gz", gzip.compress), (".bz2", bz2.compress)])
def test_compressed_files_are_opened(tmp_path, suffix, pack):
    path = tmp_path / f"log.jsonl{suffix}"
    path.write_bytes(pack(b'{"a": 1}\n'))
    assert json_rows(path)[0] == [(1, {"a": 1})]
    path = tmp_path / f"log.csv{suffix}"
    path.write_bytes(pack(b"a,b\n1,2\n"))
    assert csv_rows(path)[0] == [(2, ("1", "2"))]


@pytest.mark.parametrize("name", ["log.jsonl.gz", "log.csv.gz"])
def test_a_truncated_gzip_file_is_broken(tmp_path, name):
    lines = "".join(f'{{"a": {n**3}}}\n' for n in range(20_000)).encode()
    whole = gzip.compress(lines)
    (tmp_path / name).write_bytes(whole[: len(whole) // 2])
    read = json_rows if "json" in name else csv_rows
    _, notebook = read(tmp_path / name)
    assert notebook.broken[0][0] == name
    assert "cannot be read to its end" in notebook.broken[0][1]


@pytest.mark.parametrize("name", ["log.jsonl.gz", "log.csv.gz", "log.jsonl.xz", "log.jsonl.bz2"])
def test_a_file_that_is_not_compressed_as_its_name_says_is_broken(tmp_path, name):
    (tmp_path / name).write_text("plain")
    _, notebook = (json_rows if "json" in name else csv_rows)(tmp_path / name)
    assert "cannot be read to its end" in notebook.broken[0][1]


def test_blocks_are_bounded(tmp_path):
    (tmp_path / "log.jsonl").write_text('{"a": 1}\n' * (BLOCK_ROWS + 5))
    blocks = list(read_json_lines(tmp_path / "log.jsonl", "events", Notebook()))
    assert [len(block.records) for block in blocks] == [BLOCK_ROWS, 5]
    assert blocks[1].rows.tolist() == list(range(BLOCK_ROWS + 1, BLOCK_ROWS + 6))


def test_csv_rows_come_with_their_numbers_the_bad_ones_reported(tmp_path):
    path = tmp_path / "log.csv"
    path.write_bytes(b'\xef\xbb\xbfa,b\n1,2\n3\n4,"x\ny"\n5,6,7\n\xff,8\n,9\n')
    rows, notebook = csv_rows(path)
    assert rows == [(2, ("1", "2")), (4, ("4", "x\ny")), (7, (None, "9"))]
    assert notebook.rejected == [
        (3, "a row must have 2 values, got 1"),
        (5, "a row must have 2 values, got 3"),
        (6, "a row must be UTF-8 text"),
    ]


def test_a_file_without_a_header_is_numbered_from_its_first_row(tmp_path):
    (tmp_path / "log.tsv").write_text('a"\tb\nc\nd\te\n')
    rows, notebook = csv_rows(
        tmp_path / "log.tsv", form=CsvForm("\t", columns=["x", "y"], quoted=False)
    )
    assert rows == [(1, ('a"', "b")), (3, ("d", "e"))]
    assert [row for row, _ in notebook.rejected] == [2]


def test_an_empty_csv_file_is_broken(tmp_path):
    (tmp_path / "log.csv").write_text("")
    assert "cannot be read to its end" in csv_rows(tmp_path / "log.csv")[1].broken[0][1]


def test_a_repeated_column_is_broken(tmp_path):
    (tmp_path / "log.csv").write_text("a,b,a\n1,2,3\n")
    assert csv_rows(tmp_path / "log.csv")[1].broken == [("log.csv", "column a must stand once")]


def test_parquet_comes_with_row_numbers_from_1(tmp_path):
    pq.write_table(pa.table({"a": [5, 6]}), tmp_path / "log.parquet")
    [block] = read_parquet(tmp_path / "log.parquet", Notebook())
    assert block.rows.tolist() == [1, 2]
    assert block.columns["a"].to_pylist() == [5, 6]


def test_a_truncated_parquet_file_is_broken(tmp_path):
    pq.write_table(pa.table({"a": [5, 6]}), tmp_path / "log.parquet")
    content = (tmp_path / "log.parquet").read_bytes()
    (tmp_path / "log.parquet").write_bytes(content[:-9])
    notebook = Notebook()
    assert list(read_parquet(tmp_path / "log.parquet", notebook)) == []
    assert "cannot be read to its end" in notebook.broken[0][1]


@pytest.mark.parametrize(
    ("name", "expected"),
    [("a.parquet", "parquet"), ("a.ndjson.bz2", "json"), ("a.tsv", "tsv"), ("a.csv.gz", "csv")],
)
def test_the_suffix_says_the_format(name, expected):
    assert format_of(Path(name)) == expected


def test_json_lines_as_columns_have_every_field(tmp_path):
    (tmp_path / "log.jsonl").write_text('{"a": 1}\n{"b": 2}\n')
    [block] = read_table(tmp_path / "log.jsonl", "events", Notebook())
    assert dict(block.columns) == {"a": [1, None], "b": [None, 2]}


records = st.lists(
    st.dictionaries(st.text(max_size=3), st.integers() | st.text() | st.none(), max_size=3),
    max_size=8,
)


@given(records=records)
@settings(max_examples=40, deadline=None)
def test_json_lines_round_trip(tmp_path_factory, records):
    path = tmp_path_factory.mktemp("json") / "log.jsonl"
    path.write_text("".join(json.dumps(record) + "\n" for record in records))
    rows, notebook = json_rows(path)
    assert [record for _, record in rows] == records
    assert notebook.rejected == []


@given(content=st.binary(max_size=300))
@settings(max_examples=150, deadline=None)
def test_any_bytes_are_read_or_reported(tmp_path_factory, content):
    folder = tmp_path_factory.mktemp("bytes")
    for name in ("a.jsonl", "a.csv", "a.csv.gz", "a.parquet", "a.tsv", "a.jsonl.xz"):
        (folder / name).write_bytes(content)
        notebook = Notebook()
        n_rows = sum(len(block.rows) for block in read_table(folder / name, "events", notebook))
        if name == "a.jsonl":
            lines = content.removeprefix(b"\xef\xbb\xbf").split(b"\n")
            assert n_rows + len(notebook.rejected) == sum(bool(line.strip()) for line in lines)
        if name in ("a.csv.gz", "a.parquet", "a.jsonl.xz"):
            assert notebook.broken or not content


def test_a_parquet_file_with_texts_that_are_no_utf_8_is_broken(tmp_path):
    texts = pa.array([b"\xf1\xf8"], pa.binary()).view(pa.string())
    pq.write_table(pa.table({"a": texts}), tmp_path / "log.parquet")
    notebook = Notebook()
    assert list(read_parquet(tmp_path / "log.parquet", notebook)) == []
    assert "UTF8" in notebook.broken[0][1]
