"""How a delimited file is written is found out from its first lines, or said."""

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from experiments.config.data import CsvConfig
from experiments.data.readers.any_file import read_table
from experiments.data.readers.csv_file import CsvForm, delimiter_of, read_csv
from experiments.data.readers.decimal_comma import with_points


class Strict:
    """Takes no complaint."""

    def reject(self, table, file, row, what, content):
        raise AssertionError(what)

    def reject_file(self, file, what):
        raise AssertionError(what)


HEADS = {
    "commas": ("a,b\n1,2\n", ","),
    "semicolons": ("a;b\n1;2\n", ";"),
    "tabs": ("a\tb\n1\t2\n", "\t"),
    "pipes": ("a|b\n1|2\n", "|"),
    "semicolons round decimal commas": ("a;b\n0,5;1,5\n2,5;3\n", ";"),
    "commas in quotes": ('a;"b, c, d"\n1;2\n', ";"),
    "semicolons in a list": ('a,b\n1,"[1;2;3]"\n', ","),
    "one column": ("a\n1\n", ","),
    "a byte order mark": ("\ufeffa;b\n1;2\n", ";"),
    "a header alone": ("a|b", "|"),
    "a comma in a name": ("id;price, net;n\n1;2;3\n4;5;6\n", ";"),
    "empty": ("", ","),
}


@pytest.mark.parametrize("case", HEADS)
def test_the_delimiter_is_found_out(tmp_path, case):
    text, delimiter = HEADS[case]
    (tmp_path / "log.csv").write_text(text)
    assert delimiter_of(tmp_path / "log.csv") == delimiter


@given(
    delimiter=st.sampled_from([",", ";", "\t", "|"]),
    cells=st.lists(
        st.lists(st.from_regex(r"[a-z0-9. ]{1,6}", fullmatch=True), min_size=3, max_size=3),
        min_size=1,
        max_size=30,
    ),
)
def test_any_plain_table_is_read_with_its_own_delimiter(tmp_path_factory, delimiter, cells):
    path = tmp_path_factory.mktemp("csv") / "log.csv"
    rows = [["x", "y", "z"], *cells]
    path.write_text("".join(delimiter.join(row) + "\n" for row in rows))
    [block] = read_csv(path, "events", Strict())
    assert list(block.columns) == ["x", "y", "z"]
    assert [block.columns[name].to_pylist() for name in "xyz"] == [
        list(c) for c in zip(*cells, strict=True)
    ]


@pytest.mark.parametrize(
    ("settings", "text", "numbers"),
    [
        ({}, "n;m\n0,5;1\n", ["0.5"]),
        ({}, "n,m\n0.5,1\n", ["0.5"]),
        ({"decimal": "."}, "n;m\n0,5;1\n", ["0,5"]),
        ({"decimal": ","}, "n\tm\n0,5\t1\n", ["0.5"]),
        ({"delimiter": "|"}, "n|m\n0,5|1\n", ["0,5"]),
        ({"delimiter": "|", "decimal": ","}, "n|m;k\n-1,25e-3|1\n", ["-1.25e-3"]),
        ({}, "n;m\n[0,5;1,25];1\n".replace("[0,5;1,25]", '"[0,5;1,25]"'), ["[0.5,1.25]"]),
        ({}, 'n;m\n"[0.5,1.25]";1\n', ["[0.5,1.25]"]),
    ],
)
def test_numbers_may_have_a_decimal_comma(tmp_path, settings, text, numbers):
    (tmp_path / "log.csv").write_text(text)
    [block] = read_table(tmp_path / "log.csv", "events", Strict(), CsvConfig(**settings))
    assert block.numbers("n").to_pylist() == numbers


def test_texts_with_commas_are_no_numbers():
    texts = ["a,b", "1,2,3", "12:30,5", "[a,b]", None, ""]
    assert with_points(pa.array(texts)).to_pylist() == texts


def test_a_delimiter_cannot_be_the_decimal_too():
    with pytest.raises(ValueError, match=r"csv\.decimal"):
        CsvConfig(delimiter=",", decimal=",")


def test_whole_numbers_written_as_floats_are_ids_again(tmp_path):
    (tmp_path / "log.csv").write_text("id,version\n1.0,1.0\n,1.5\n-3.0,x.0\n")
    [block] = read_csv(tmp_path / "log.csv", "events", Strict(), CsvForm())
    assert block.ids("id").to_pylist() == ["1", None, "-3"]
    assert block.ids("version").to_pylist() == ["1", "1.5", "x.0"]
    assert block.columns["id"].to_pylist() == ["1.0", None, "-3.0"]
