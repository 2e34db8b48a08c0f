"""Tables of one's own with a mapping: CSV, JSON lines and Parquet mixed."""

import pyarrow as pa
import pyarrow.csv as pcsv
import pyarrow.parquet as pq
import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from experiments.common.errors import InputError
from experiments.config.data import IngestConfig
from experiments.data.importers.mapping import read_mapping
from experiments.data.ingestion import ingest_log
from tests.experiments.data.importers.logical_log import (
    ITEMS,
    TITLES,
    expected_log,
    ingest,
    searches,
    write_json_lines,
)

LOG = """visit,who,words,time,place,sku,clicked
v1,ann,red shoes,2024-05-01T10:00:00Z,1,a,0
v1,ann,red shoes,2024-05-01T10:00:00Z,2,b,1
v2,,warm coat,2024-05-02T10:00:00+02:00,1,b,0
"""
MAPPING = """
sessions:
  file: log.csv
  distinct: true
  columns: {session_id: visit, user_id: who, query_text: words, created_at: time}
impressions:
  file: log.csv
  first_position: 1
  columns: {session_id: visit, position: place, object_id: sku}
events:
  file: log.csv
  where: {clicked: 1}
  columns: {session_id: visit, object_id: sku, created_at: time}
items:
  file: products.csv
  columns: {object_id: sku, title: name}
"""


@pytest.fixture
def sample(tmp_path):
    folder = tmp_path / "log"
    folder.mkdir()
    (folder / "log.csv").write_text(LOG)
    (folder / "products.csv").write_text("sku,name\na,running shoe\nb,winter coat\n")
    (folder / "mapping.yaml").write_text(MAPPING)
    return folder


def run(folder):
    return ingest("table", folder, mapping=str(folder / "mapping.yaml"))


def test_one_wide_file_becomes_a_log(sample):
    log = run(sample)
    assert log.session_ids.tolist() == ["v1", "v2"]
    assert log.session_user.tolist() == [0, -1]
    assert log.session_created_at.tolist() == [1_714_557_600, 1_714_636_800]
    assert log.impression_position.tolist() == [0, 1, 0]
    assert log.object_ids[log.impression_object].tolist() == ["a", "b", "b"]
    assert log.event_impression.tolist() == [1]


@pytest.mark.parametrize(
    ("wanted", "clicked"),
    [
        (wanted, clicked)
        for wanted in ("1", "true", "yes", "'1'", "[true, x]")
        for clicked in ("1", "1.0", "true", "True")
        if wanted in ("true", "yes", "[true, x]") or clicked in ("1", "1.0")
    ],
)
def test_clicks_are_told_by_a_flag_however_it_is_written(sample, wanted, clicked):
    log = LOG.replace(",0\n", ",false\n").replace("b,1\n", f"b,{clicked}\n")
    (sample / "log.csv").write_text(log)
    (sample / "mapping.yaml").write_text(MAPPING.replace("clicked: 1", f"clicked: {wanted}"))
    assert run(sample).event_impression.tolist() == [1]


def test_the_card_says_which_rule_left_a_row_out(sample):
    kinds = LOG.replace("clicked", "clicked,kind").replace(",0\n", ",0,see\n")
    (sample / "log.csv").write_text(kinds.replace("2,b,1\n", "2,b,1,buy\nv2,,x,9,2,a,1,see\n"))
    mapping = MAPPING.replace(
        "created_at: time}\nitems", "created_at: time, event_type: kind}\nitems"
    )
    (sample / "mapping.yaml").write_text(mapping)
    out = sample.parent / "out"
    config = IngestConfig("table", str(sample), str(out), mapping=str(sample / "mapping.yaml"))
    config.click_types = ["buy"]
    counts = ingest_log(config).counts["events"]
    assert (counts.n_in, counts.n_out) == (4, 1)
    assert counts.left_out == {"where clicked is another": 2, "of types that are no clicks": 1}


def test_a_pattern_takes_several_files(sample):
    lines = LOG.splitlines(keepends=True)
    (sample / "log.csv").unlink()
    (sample / "log-1.csv").write_text("".join(lines[:3]))
    (sample / "log-2.csv").write_text(lines[0] + lines[3])
    mapping = sample / "mapping.yaml"
    mapping.write_text(MAPPING.replace("log.csv", "log-*.csv"))
    assert run(sample).n_sessions == 2


def test_sessions_that_repeat_are_a_fault_unless_said(sample):
    (sample / "mapping.yaml").write_text(MAPPING.replace("  distinct: true\n", ""))
    with pytest.raises(InputError, match="column session_id must stand once"):
        run(sample)


def test_times_may_count_milliseconds(sample):
    text = LOG.replace("2024-05-01T10:00:00Z", "1714557600123")
    (sample / "log.csv").write_text(text.replace("2024-05-02T10:00:00+02:00", "1714636800999"))
    (sample / "mapping.yaml").write_text("time_unit: ms\n" + MAPPING)
    assert run(sample).session_created_at.tolist() == [1_714_557_600, 1_714_636_800]


@pytest.mark.parametrize("file", ["../secret.csv", "/etc/passwd", "a/../../b.csv"])
def test_a_file_outside_the_path_is_refused(sample, file):
    (sample.parent / "secret.csv").write_text("sku,name\n")
    (sample / "mapping.yaml").write_text(MAPPING.replace("products.csv", file))
    with pytest.raises(InputError, match=r"items\.file must lie inside path"):
        run(sample)


def test_a_link_that_leads_outside_is_refused(sample):
    (sample.parent / "secret.csv").write_text("sku,name\na,x\n")
    (sample / "products.csv").unlink()
    (sample / "products.csv").symlink_to(sample.parent / "secret.csv")
    with pytest.raises(InputError, match=r"items\.file must lie inside path"):
        run(sample)


def test_a_missing_file_is_named(sample):
    (sample / "products.csv").unlink()
    with pytest.raises(InputError, match=r"items\.file must be a file in .*, got 'products\.csv'"):
        run(sample)


def test_a_column_that_the_file_lacks_is_named(sample):
    (sample / "products.csv").write_text("sku,title\na,x\n")
    with pytest.raises(InputError, match=r"products\.csv: column name of the mapping is missing"):
        run(sample)


def test_the_first_title_of_an_object_of_several_parts_counts(sample):
    rows = 'sku,name,part,v\na,One,0,"[1,0]"\na,Two,1,"[0,1]"\nb,Three,0,"[1,1]"\n'
    (sample / "products.csv").write_text(rows)
    (sample / "queries.csv").write_text('id,v\nx,"[1,0]"\n')
    mapping = MAPPING.replace("title: name", "title: name, part_id: part, vector: v")
    mapping += "queries: {file: queries.csv, columns: {query_id: id, vector: v}}\n"
    (sample / "mapping.yaml").write_text(mapping.replace("query_text: words", "query_id: q"))
    (sample / "log.csv").write_text(LOG.replace("words", "q").replace("red shoes", "x"))
    log = ingest("table", sample, mapping=str(sample / "mapping.yaml"), on_error="quarantine")
    assert log.object_titles.tolist() == ["One", "Three"]
    assert log.object_offsets.tolist() == [0, 2, 3]
    assert log.session_ids.tolist() == ["v1"]


def test_vectors_of_an_object_without_part_ids_are_a_fault(sample):
    (sample / "products.csv").write_text('sku,v\na,"[1,0]"\na,"[0,1]"\nb,"[1,1]"\n')
    (sample / "mapping.yaml").write_text(MAPPING.replace("title: name", "vector: v"))
    with pytest.raises(InputError, match=r"object_id must stand once \(several parts need a part"):
        run(sample)


BAD_MAPPINGS = {
    "objects": ("!!python/object/apply:os.system [ls]", "must be a plain YAML file"),
    "a list": ("- a", "mapping must hold a table a key"),
    "no table": ("clicks: {}", "clicks is no table; tables are items, queries, sessions"),
    "no file": ("items: {columns: {object_id: a}}", "items must have a file and columns"),
    "unknown key": (
        "items: {file: a, columns: {object_id: a, title: b}, fil: x}",
        "items.fil is no key; keys are file, columns, where, distinct, first_position",
    ),
    "unknown column": (
        "items: {file: a, columns: {object_id: a, titel: b}}",
        "items.columns.titel is no column; columns are object_id, vector, title",
    ),
    "missing column": (
        "events: {file: a, columns: {session_id: a, object_id: b}}",
        "events.columns.created_at is missing",
    ),
    "neither text nor vector": (
        "items: {file: a, columns: {object_id: a}}",
        "items.columns must have one of vector, title, body",
    ),
    "unit": ("time_unit: hours", "time_unit must be one of s, ms, us, ns, got 'hours'"),
    "columns no map": ("items: {file: a, columns: [a]}", "items.columns must map names to names"),
    "where": ("items: {file: a, columns: {object_id: a, title: b}, where: 3}", "items.where must"),
    "first position": (
        "impressions: {file: a, columns: {session_id: a, position: b, object_id: c}, "
        "first_position: 2}",
        "impressions.first_position must be 0 or 1, got 2",
    ),
    "first position by a flag": (
        "impressions: {file: a, columns: {session_id: a, position: b, object_id: c}, "
        "first_position: true}",
        "impressions.first_position must be 0 or 1, got True",
    ),
    "distinct by a number": (
        "items: {file: a, columns: {object_id: a, title: b}, distinct: 1}",
        "items.distinct must be true or false, got 1",
    ),
    "where without values": (
        "items: {file: a, columns: {object_id: a, title: b}, where: {c: []}}",
        "items.where.c must name at least one value, got []",
    ),
    "where with a record": (
        "items: {file: a, columns: {object_id: a, title: b}, where: {c: {d: 1}}}",
        "items.where.c must be a text, a number, true, false or null, or a list of such",
    ),
    "column that YAML takes for a flag": (
        "items: {file: a, columns: {object_id: no, title: b}}",
        "items.columns must map names to names (put a name such as no, on or 1 into quotes)",
    ),
}


@pytest.mark.parametrize("case", BAD_MAPPINGS)
def test_a_bad_mapping_says_what_is_wrong(tmp_path, case):
    content, message = BAD_MAPPINGS[case]
    (tmp_path / "mapping.yaml").write_text(content)
    with pytest.raises(InputError) as raised:
        read_mapping(tmp_path / "mapping.yaml")
    assert message in str(raised.value)


def test_all_faults_of_a_mapping_are_told_at_once(tmp_path):
    (tmp_path / "mapping.yaml").write_text("clicks: {}\ntime_unit: h\nitems: 3")
    with pytest.raises(InputError) as raised:
        read_mapping(tmp_path / "mapping.yaml")
    said = str(raised.value)
    assert all(word in said for word in ("clicks is no", "time_unit", "items must", "events is"))


FORMATS = ("csv", "parquet", "jsonl")


def write(path, columns):
    table = pa.table(columns)
    if path.suffix == ".csv":
        pcsv.write_csv(table, path)
    elif path.suffix == ".parquet":
        pq.write_table(table, path)
    else:
        write_json_lines(path, table.to_pylist())


@given(log=searches(), kinds=st.tuples(*[st.sampled_from(FORMATS)] * 4))
@settings(max_examples=15, deadline=None)
def test_round_trip(tmp_path_factory, log, kinds):
    folder = tmp_path_factory.mktemp("trip") / "table"
    folder.mkdir()
    rows = [(s.name, n, item) for s in log for n, item in enumerate(s.shown)]
    clicks = [(f"{s.name}-{i}", s.name, i, at) for s in log for i, at in s.clicks.items()]
    shown = ("session_id", "position", "object_id")
    clicked = ("event_id", "session_id", "object_id", "created_at")
    tables = {
        "sessions": {
            "session_id": [s.name for s in log],
            "user_id": pa.array([s.user for s in log], pa.string()),
            "query_text": [s.query for s in log],
            "created_at": [s.at for s in log],
        },
        "impressions": dict(zip(shown, zip(*rows, strict=True), strict=True)),
        "events": dict(zip(clicked, zip(*clicks, strict=True), strict=True)),
        "items": {"object_id": list(ITEMS), "title": list(TITLES)},
    }
    mapping = {}
    for (name, columns), kind in zip(tables.items(), kinds, strict=True):
        write(folder / f"{name}.{kind}", {k: pa.array(v) for k, v in columns.items()})
        mapping[name] = {"file": f"{name}.{kind}", "columns": {k: k for k in columns}}
    (folder / "mapping.yaml").write_text(yaml.safe_dump(mapping))
    expected = expected_log(folder.parent, log)
    assert run(folder).fingerprint == expected.fingerprint
