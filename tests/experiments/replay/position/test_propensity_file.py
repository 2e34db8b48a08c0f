"""Propensities from a file: every format, every fault in one clear sentence."""

import json

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from experiments.common.errors import InputError
from experiments.replay.position.propensity_file import read_propensities

GOOD = {0: 1.0, 1: 0.5, 2: 0.25}


@pytest.fixture(params=["csv", "json", "parquet"])
def good_file(request, tmp_path):
    path = tmp_path / f"examined.{request.param}"
    if request.param == "csv":
        path.write_text("position,propensity\n" + "".join(f"{k},{v}\n" for k, v in GOOD.items()))
    elif request.param == "json":
        path.write_text(json.dumps(GOOD))
    else:
        pq.write_table(pa.table({"position": list(GOOD), "propensity": [*GOOD.values()]}), path)
    return path


def test_every_format_reads_alike(good_file):
    np.testing.assert_array_equal(read_propensities(good_file, 3), [1, 0.5, 0.25])
    np.testing.assert_array_equal(read_propensities(good_file, 2), [1, 0.5])


def test_a_missing_position_is_named(good_file):
    with pytest.raises(InputError, match=r"no propensity for position 3 \(2 of the log's 5"):
        read_propensities(good_file, 5)


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        ("0,1\n1,0\n", r"row 2: propensity must be in \(0, 1\], got '0'\."),
        ("0,1\n1,nan\n", r"row 2: propensity must be in \(0, 1\], got 'nan'\."),
        ("0,1\n1,1.5\n", r"row 2: propensity must be in"),
        ("0,1\n1,\n", r"row 2: propensity must be in"),
        ("0,1\nfirst,0.5\n", r"row 2: position must be a whole number from 0, got 'first'\."),
        ("0,1\n-1,0.5\n", r"row 2: position must be a whole number from 0, got '-1'\."),
        ("0,1\n0.5,0.5\n", r"row 2: position must be a whole number"),
        ("0,1\ninf,0.5\n", r"row 2: position must be a whole number"),
        ("0,1\n0,0.5\n", r"row 2: position 0 stands there twice"),
    ],
)
def test_a_bad_row_is_named(tmp_path, rows, message):
    path = tmp_path / "p.csv"
    path.write_text("position,propensity\n" + rows)
    with pytest.raises(InputError, match=message):
        read_propensities(path, 2)


def test_all_faults_are_told_at_once(tmp_path):
    path = tmp_path / "p.csv"
    path.write_text("position,propensity\n0,2\n1,0.5\n2,-1\n")
    with pytest.raises(InputError) as caught:
        read_propensities(path, 3)
    assert len(str(caught.value).splitlines()) == 2


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("p.csv", "place,chance\n0,1\n", "must have the columns position and propensity, but has"),
        ("p.csv", "", "but has none"),
        ("p.json", "[1, 0.5]", "must hold an object of position to propensity"),
        ("p.json", "{", r"p\.json cannot be read"),
        ("p.json", "[" * 100_000, r"p\.json cannot be read"),
        ("p.parquet", "no parquet", r"p\.parquet cannot be read"),
    ],
)
def test_a_bad_file_is_named(tmp_path, name, content, message):
    (tmp_path / name).write_text(content)
    with pytest.raises(InputError, match=message):
        read_propensities(tmp_path / name, 1)


def test_a_file_that_is_not_there_is_named(tmp_path):
    with pytest.raises(InputError, match=r"propensity_file must be a file, but .*none\.csv"):
        read_propensities(tmp_path / "none.csv", 1)
