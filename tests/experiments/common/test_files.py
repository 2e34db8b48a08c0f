"""Files that are whole or absent, and plain data in them."""

import json
import os

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from experiments.common.files import finite, flatten, replacing, to_yaml, write_atomic, write_json

NAMES = st.text(st.characters(codec="ascii", categories=["L"]), min_size=1, max_size=3)
NESTED = st.dictionaries(
    NAMES, st.recursive(st.integers(), lambda inner: st.dictionaries(NAMES, inner), max_leaves=9)
)


def test_a_write_that_fails_leaves_the_old_file_and_nothing_else(tmp_path):
    path = tmp_path / "file"
    write_atomic(path, "old")
    with pytest.raises(UnicodeEncodeError):
        write_atomic(path, "new \ud800")
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]


def test_json_has_null_for_what_is_not_a_number(tmp_path):
    write_json(tmp_path / "a.json", {"a": [float("nan"), 1.5], "b": float("inf")})
    assert json.loads((tmp_path / "a.json").read_text()) == {"a": [None, 1.5], "b": None}
    assert finite((1, "x")) == [1, "x"]


def test_a_file_that_was_not_finished_is_not_there(tmp_path):
    def stop_half_way():
        with replacing(tmp_path / "deep" / "file") as unfinished:
            unfinished.write_text("half")
            raise InterruptedError

    with pytest.raises(InterruptedError):
        stop_half_way()
    assert list((tmp_path / "deep").iterdir()) == []


def test_line_ends_stay_and_others_may_read(tmp_path):
    write_atomic(tmp_path / "a", "one\r\ntwo\n")
    assert (tmp_path / "a").read_bytes() == b"one\r\ntwo\n"
    assert (tmp_path / "a").stat().st_mode & 0o777 == 0o644


def test_yaml_has_no_aliases_and_keeps_the_order():
    shared = {"z": 1}
    text = to_yaml({"b": shared, "a": shared})
    assert "&" not in text
    assert text.index("b:") < text.index("a:")


@given(NESTED)
def test_yaml_reads_as_it_was_written(data):
    assert yaml.safe_load(to_yaml(data)) == data


@given(NESTED)
def test_dotted_names_lead_back_to_the_nested_data(data):
    back: dict = {}
    for name, value in flatten(data).items():
        *path, last = name.split(".")
        node = back
        for part in path:
            node = node.setdefault(part, {})
        node[last] = value
    assert back == data


@given(NESTED)
def test_without_empty_mappings_only_values_are_left(data):
    every = flatten(data)
    left = {name: value for name, value in every.items() if not isinstance(value, dict)}
    assert flatten(data, keep_empty=False) == left


@pytest.mark.parametrize(("umask", "mode"), [(0o022, 0o644), (0o077, 0o600), (0o002, 0o664)])
def test_a_file_has_the_mode_that_the_umask_leaves(tmp_path, umask, mode):
    before = os.umask(umask)
    try:
        write_atomic(tmp_path / "x", "text")
    finally:
        os.umask(before)
    assert (tmp_path / "x").stat().st_mode & 0o777 == mode
