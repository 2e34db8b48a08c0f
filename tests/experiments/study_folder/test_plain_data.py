"""Records as plain data and back: every kind of field, and every fault."""

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from experiments.common.errors import InputError
from experiments.study_folder.plain_data import from_plain, read_json, to_plain


@dataclass(frozen=True)
class Inner:
    name: str
    share: float


@dataclass(frozen=True)
class Outer:
    number: int
    is_kept: bool
    inner: Inner
    rows: tuple[Inner, ...] = ()
    metrics: Mapping[str, float] = field(default_factory=dict)
    params: Mapping[str, Any] = field(default_factory=dict)
    limit: float | None = None
    other: Inner | None = None


INNER = st.builds(Inner, st.text(), st.floats(allow_nan=False, allow_infinity=False))
OUTER = st.builds(
    Outer,
    number=st.integers(),
    is_kept=st.booleans(),
    inner=INNER,
    rows=st.lists(INNER, max_size=3).map(tuple),
    metrics=st.dictionaries(st.text(), st.floats(allow_nan=False, allow_infinity=False)),
    params=st.dictionaries(st.text(), st.none() | st.text() | st.lists(st.integers())),
    limit=st.none() | st.floats(allow_nan=False, allow_infinity=False),
    other=st.none() | INNER,
)


@given(OUTER)
def test_every_record_comes_back_through_json(record):
    assert from_plain(Outer, json.loads(json.dumps(to_plain(record))), "") == record


def plain(**changed):
    whole = to_plain(Outer(3, True, Inner("a", 0.5), rows=(Inner("b", 1.0),)))
    return {**whole, **changed}


def test_null_stands_for_a_number_that_is_not_defined():
    record = Outer(3, True, Inner("a", math.nan))
    data = to_plain(record)
    assert data["inner"]["share"] is None
    assert math.isnan(from_plain(Outer, data, "").inner.share)
    assert from_plain(Outer, data, "").limit is None


def test_a_whole_number_is_a_number():
    share = from_plain(Inner, {"name": "a", "share": 1}, "").share
    assert isinstance(share, float)


def test_a_field_with_a_default_may_be_missing_and_a_strange_entry_is_left_out():
    data = {"number": 3, "is_kept": False, "inner": {"name": "a", "share": 1.0, "later": 2}}
    assert from_plain(Outer, data, "") == Outer(3, False, Inner("a", 1.0))


@pytest.mark.parametrize(
    ("changed", "told"),
    [
        ({"number": "3"}, "x.number must be a whole number, got '3'"),
        ({"number": True}, "x.number must be a whole number, got True"),
        ({"number": 3.5}, "x.number must be a whole number, got 3.5"),
        ({"number": None}, "x.number must be a whole number, got None"),
        ({"is_kept": 1}, "x.is_kept must be true or false, got 1"),
        ({"inner": []}, "x.inner must be a record, got []"),
        ({"inner": {"name": "a"}}, "x.inner.share is missing"),
        ({"inner": {"name": 4, "share": 1}}, "x.inner.name must be text, got 4"),
        ({"rows": {}}, "x.rows must be a list, got {}"),
        ({"rows": [{"name": "a", "share": "b"}]}, "x.rows[0].share must be a number, got 'b'"),
        ({"metrics": [1]}, "x.metrics must be values by name, got [1]"),
        ({"metrics": {"mrr": True}}, "x.metrics.mrr must be a number, got True"),
    ],
)
def test_a_fault_names_its_place_and_what_must_stand_there(changed, told):
    with pytest.raises(ValueError, match=r".") as caught:
        from_plain(Outer, plain(**changed), "x")
    assert str(caught.value) == told


def test_a_long_value_is_cut_in_the_sentence():
    with pytest.raises(ValueError, match="is_kept") as caught:
        from_plain(Outer, plain(is_kept="y" * 500), "")
    assert len(str(caught.value)) < 120


@dataclass(frozen=True)
class ReadsItself:
    number: int

    @classmethod
    def from_dict(cls, data):
        return cls(data["deep"]["number"])


@dataclass(frozen=True)
class Holder:
    own: ReadsItself


def test_a_record_that_reads_itself_is_asked():
    assert from_plain(Holder, {"own": {"deep": {"number": 4}}}, "") == Holder(ReadsItself(4))
    with pytest.raises(ValueError, match="own cannot be read: 'deep'"):
        from_plain(Holder, {"own": {}}, "")


def test_a_file_that_cannot_be_read_is_named_with_the_remedy(tmp_path):
    path = tmp_path / "a.json"
    with pytest.raises(InputError, match=r"a\.json cannot be read: No such file.* Do this\."):
        read_json(path, dict, "Do this.")
    path.write_text('{"number": 3}')
    with pytest.raises(InputError, match=r"is_kept is missing\. Do this\."):
        read_json(path, lambda data: from_plain(Outer, data, ""), "Do this.")
