"""`dataset.yaml`: what is written is read again, and what is wrong is said."""

from pathlib import Path

import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from adjuster.index import MetricAggregationType, MetricType, SearchIndexInfo
from experiments.config.replay import SCOPES
from experiments.data.format.faults import Faults
from experiments.data.format.metadata import (
    MAX_DIMENSIONS,
    NAME_MUST,
    Metadata,
    is_plain_name,
    read_metadata,
)

GOOD = {
    "name": "tiny",
    "dimensions": 2,
    "metric_type": "dot",
    "metric_aggregation_type": "avg",
}
TEXTS = st.text(st.characters(codec="utf-8", exclude_categories=("Cc", "Cs")), max_size=20)


def written(folder: Path, text: str | bytes) -> Path:
    data = text if isinstance(text, bytes) else text.encode()
    (folder / "dataset.yaml").write_bytes(data)
    return folder


def complaint(folder: Path) -> str:
    faults = Faults()
    assert read_metadata(folder, faults) is None
    return faults.describe()


@settings(max_examples=30, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    name=TEXTS.filter(is_plain_name),
    dimensions=st.integers(1, MAX_DIMENSIONS),
    metric=st.sampled_from(MetricType),
    pooling=st.sampled_from(MetricAggregationType),
    scope=st.sampled_from([None, *SCOPES]),
    texts=st.tuples(TEXTS, TEXTS, TEXTS),
    notes=st.dictionaries(st.sampled_from(["seed", "encoder"]), st.integers() | TEXTS),
)
def test_what_is_written_is_read_again(
    tmp_path: Path,
    name: str,
    dimensions: int,
    metric: MetricType,
    pooling: MetricAggregationType,
    scope: str | None,
    texts: tuple[str, str, str],
    notes: dict[str, object],
) -> None:
    index = SearchIndexInfo(dimensions, metric, pooling)
    metadata = Metadata(name, index, *texts, personalize_by=scope, notes=notes)
    faults = Faults()
    assert read_metadata(written(tmp_path, metadata.to_yaml()), faults) == metadata
    assert not faults


def test_what_is_left_out_is_empty(tmp_path: Path) -> None:
    read = read_metadata(written(tmp_path, yaml.safe_dump(GOOD)), Faults())
    assert read == Metadata("tiny", SearchIndexInfo(2, "dot", "avg"))


def test_a_byte_order_mark_is_no_part_of_the_first_name(tmp_path: Path) -> None:
    folder = written(tmp_path, b"\xef\xbb\xbf" + yaml.safe_dump(GOOD, sort_keys=False).encode())
    read = read_metadata(folder, Faults())
    assert read is not None
    assert (read.name, read.notes) == ("tiny", {})


@pytest.mark.parametrize(
    ("key", "value", "said"),
    [
        ("name", " ", f"name must be {NAME_MUST}, got ' '"),
        ("name", 7, f"name must be {NAME_MUST}, got 7"),
        ("dimensions", 0, "dimensions must be an integer from 1 to 100,000, got 0"),
        ("dimensions", 100_001, "dimensions must be an integer from 1 to 100,000, got 100001"),
        ("dimensions", True, "dimensions must be an integer from 1 to 100,000, got True"),
        ("metric_type", "l2", "metric_type must be one of cosine, dot, euclid, got 'l2'"),
        (
            "metric_aggregation_type",
            None,
            "metric_aggregation_type must be one of min, avg, got None",
        ),
        ("licence", ["MIT"], "licence must be text, got ['MIT']"),
    ],
)
def test_a_bad_value_is_named(tmp_path: Path, key: str, value: object, said: str) -> None:
    folder = written(tmp_path, yaml.safe_dump({**GOOD, key: value}))
    assert complaint(folder) == f"dataset.yaml: {said}"


def test_a_bad_scope_is_told_the_scopes(tmp_path: Path) -> None:
    folder = written(tmp_path, yaml.safe_dump({**GOOD, "personalize_by": "team"}))
    words = ", ".join(["null", *SCOPES])
    assert complaint(folder) == f"dataset.yaml: personalize_by must be one of {words}, got 'team'"


def test_all_that_is_missing_is_told_at_once(tmp_path: Path) -> None:
    lines = complaint(written(tmp_path, "{}")).splitlines()
    assert [line.split()[1] for line in lines] == list(GOOD)
    assert all(line.endswith("got nothing") for line in lines)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"name: \xff", "dataset.yaml: must be UTF-8 text, got byte 0xff"),
        (b"- a\n- b", "dataset.yaml: must be a mapping of names to values, got ['a', 'b']"),
        (b"1: one", "dataset.yaml: must be a mapping of names to values, got {1: 'one'}"),
        (b"", "dataset.yaml: must be a mapping of names to values, got None"),
    ],
)
def test_a_file_that_is_no_mapping_is_refused(tmp_path: Path, content: bytes, said: str) -> None:
    assert complaint(written(tmp_path, content)) == said


@pytest.mark.parametrize("text", ["a: [", "a: !!python/object/apply:os.getcwd []", "[" * 1000])
def test_a_file_that_is_no_plain_yaml_is_refused_on_one_line(tmp_path: Path, text: str) -> None:
    said = complaint(written(tmp_path, text))
    assert said.startswith("dataset.yaml: must be plain YAML (no tags that build objects): ")
    assert "\n" not in said


def test_a_missing_file_is_told(tmp_path: Path) -> None:
    assert complaint(tmp_path) == "dataset.yaml: the file is missing"
