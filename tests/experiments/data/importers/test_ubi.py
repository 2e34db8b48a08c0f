"""OpenSearch UBI: documents of the indices `ubi_queries` and `ubi_events`.

The fields are those of the UBI schema: application, query_id, client_id, user_query, timestamp,
query_response_hit_ids; action_name, query_id, client_id, timestamp, event_attributes.object.
"""

import json
from datetime import UTC, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from experiments.common.errors import InputError
from experiments.config.data import IngestConfig
from experiments.data.format.folder import load_click_log
from experiments.data.ingestion import ingest_log
from tests.experiments.data.importers.logical_log import (
    ITEMS,
    TITLES,
    expected_log,
    ingest,
    searches,
    write_json_lines,
)
from tests.experiments.data.studio_log import write_lines

QUERIES = """
{"application":"shop","query_id":"q1","client_id":"c1","user_query":"red shoes",\
"query_attributes":{},"timestamp":"2024-05-01T10:00:00.123Z","object_id_field":"sku",\
"query_response_id":"r1","query_response_hit_ids":["a","b"]}
{"_index":"ubi_queries","_source":{"query_id":"q2","client_id":"c2","user_query":"warm coat",\
"timestamp":1714557700500,"query_response_hit_ids":["b"]}}
{"query_id":"q3","client_id":"c2","user_query":"nothing","timestamp":1714557700500,\
"query_response_hit_ids":[]}
"""
EVENTS = """
{"application":"shop","action_name":"click","query_id":"q1","client_id":"c1","session_id":"v1",\
"timestamp":"2024-05-01T10:00:09Z","message_type":"INFO","message":"Clicked b",\
"event_attributes":{"object":{"object_id":"b","object_id_field":"sku"},"position":{"ordinal":1}}}
{"action_name":"item_hover","query_id":"q1","client_id":"c1","timestamp":"2024-05-01T10:00:10Z",\
"event_attributes":{"object":{"object_id":"a"}}}
{"action_name":"click","client_id":"c1","timestamp":"2024-05-01T10:00:11Z",\
"event_attributes":{"object":{"object_id":"a"}}}
"""
OBJECTS = "object_id,title,text\na,running shoe,a light shoe for long runs\nb,winter coat,\n"


@pytest.fixture
def sample(tmp_path):
    folder = tmp_path / "ubi"
    folder.mkdir()
    (folder / "ubi_queries.jsonl").write_text(QUERIES)
    (folder / "ubi_events.jsonl").write_text(EVENTS)
    (folder / "objects.csv").write_text(OBJECTS)
    return folder


def test_the_sample_becomes_a_log(sample):
    log = ingest("ubi", sample)
    assert log.session_ids.tolist() == ["q1", "q2"]
    assert log.session_created_at.tolist() == [1_714_557_600, 1_714_557_700]
    assert log.user_ids.tolist() == ["c1", "c2"]
    assert log.query_texts[log.session_query].tolist() == ["red shoes", "warm coat"]
    assert log.object_ids[log.impression_object].tolist() == ["a", "b", "b"]
    assert log.event_impression.tolist() == [1]
    assert log.event_created_at.tolist() == [1_714_557_609]


def test_an_object_with_a_text_has_its_title_its_text_and_their_average(sample):
    log = ingest("ubi", sample)
    assert log.object_offsets.tolist() == [0, 3, 4]
    assert log.object_is_average.tolist() == [False, False, True, False]


def test_hovers_count_when_asked_for(sample):
    log = ingest("ubi", sample, click_types=["item_hover"])
    assert log.event_impression.tolist() == [0]


@given(log=searches(), seed=st.integers(0, 99), iso=st.booleans())
@settings(max_examples=15, deadline=None)
def test_round_trip(tmp_path_factory, log, seed, iso):
    folder = tmp_path_factory.mktemp("trip") / "ubi"

    def time(at):
        return datetime.fromtimestamp(at, UTC).isoformat() if iso else at * 1000

    queries = [
        {
            "query_id": s.name,
            "client_id": s.user,
            "user_query": s.query,
            "timestamp": time(s.at),
            "query_response_hit_ids": s.shown,
        }
        for s in log
    ]
    clicks = [(s, item, at) for s in log for item, at in s.clicks.items()]
    events = [
        {
            "action_name": "click",
            "query_id": s.name,
            "timestamp": time(at),
            "event_attributes": {"object": {"object_id": item}},
        }
        for s, item, at in clicks
    ]
    write_json_lines(folder / "ubi_queries.jsonl", queries, seed)
    # UBI's events have no id of their own: theirs is the line, so the order is part of it.
    lines = "".join(f"{json.dumps(event)}\n" for event in events)
    (folder / "ubi_events.jsonl").write_text(lines)
    write_json_lines(
        folder / "objects.jsonl",
        [{"object_id": i, "title": t} for i, t in zip(ITEMS, TITLES, strict=True)],
        seed,
    )
    names = {(s.name, i): f"ubi_events.jsonl-{n + 1}" for n, (s, i, _) in enumerate(clicks)}
    expected = expected_log(folder.parent, log, event_id=lambda s, item: names[s.name, item])
    assert ingest("ubi", folder).fingerprint == expected.fingerprint


def ubi(tmp_path, queries, events, objects=("a", "b", "c", "d")):
    """A folder of documents as they are given, with the ids that every line needs."""
    folder = tmp_path / "ubi"
    folder.mkdir()
    base = {"client_id": "u", "user_query": "q", "timestamp": 1_714_557_600_000}
    write_lines(folder / "ubi_queries.jsonl", [{**base, **query} for query in queries])
    stamp = {"timestamp": 1_714_557_609_000}
    write_lines(folder / "ubi_events.jsonl", [{**stamp, **event} for event in events])
    lines = "".join(f"{name},red shoe\n" for name in objects)
    (folder / "objects.csv").write_text("object_id,title\n" + lines)
    return folder


def click(query="q1", item="a", name="click"):
    return {
        "action_name": name,
        "query_id": query,
        "event_attributes": {"object": {"object_id": item}},
    }


def impression(query="q1", item="a", ordinal=None, name="impression"):
    attributes = {"object": {"object_id": item}}
    if ordinal is not None:
        attributes["position"] = {"ordinal": ordinal}
    return {"action_name": name, "query_id": query, "event_attributes": attributes}


def shown_in(log):
    names = log.object_ids[log.impression_object].tolist()
    bounds = log.impression_offsets
    return {
        str(session): names[bounds[number] : bounds[number + 1]]
        for number, session in enumerate(log.session_ids)
    }


IMPRESSIONS = {
    "in the order of their ordinals": (
        [impression(item="b", ordinal=2), impression(item="a", ordinal=1)],
        ["a", "b"],
    ),
    "ordinals from 0": (
        [impression(item="b", ordinal=0), impression(item="a", ordinal=1)],
        ["b", "a"],
    ),
    "ordinals with gaps": (
        [impression(item="c", ordinal=30), impression(item="a", ordinal=4)],
        ["a", "c"],
    ),
    "no ordinals": ([impression(item="c"), impression(item="a")], ["c", "a"]),
    "seen twice": (
        [impression(item="a", ordinal=1), impression(item="a", ordinal=1), impression(item="b")],
        ["b", "a"],
    ),
    "another name of the action": (
        [impression(item="a", name="Product Impression"), impression(item="d", ordinal=9)],
        ["a", "d"],
    ),
}


@pytest.mark.parametrize("case", IMPRESSIONS)
def test_impression_events_say_what_was_shown(tmp_path, case):
    events, shown = IMPRESSIONS[case]
    log = ingest("ubi", ubi(tmp_path, [{"query_id": "q1"}], [*events, click(item=shown[1])]))
    assert shown_in(log) == {"q1": shown}
    assert log.event_impression.tolist() == [1]


def test_a_query_that_names_its_results_needs_no_impression_events(tmp_path):
    queries = [{"query_id": "q1", "query_response_hit_ids": ["a", "b"]}, {"query_id": "q2"}]
    events = [impression(item="b", ordinal=1), impression("q2", "c"), click(), click("q2", "c")]
    folder = ubi(tmp_path, queries, events)
    assert shown_in(ingest("ubi", folder)) == {"q1": ["a", "b"], "q2": ["c"]}


@pytest.mark.parametrize(
    "name",
    ["query_response_hit_ids", "query_response_object_ids", "query_response_objects_ids"],
)
def test_results_stand_under_any_of_their_names(tmp_path, name):
    folder = ubi(tmp_path, [{"query_id": "q1", name: ["b", "a"]}], [click()])
    assert shown_in(ingest("ubi", folder)) == {"q1": ["b", "a"]}


@pytest.mark.parametrize(
    "name",
    ["click", "item_click", "product_click", "Item Click", "productClick", "RESULT-CLICK"],
)
def test_clicks_go_by_their_common_names(tmp_path, name):
    queries = [{"query_id": "q1", "query_response_hit_ids": ["b", "a"]}]
    log = ingest("ubi", ubi(tmp_path, queries, [click(name=name)]))
    assert log.event_impression.tolist() == [1]


def test_actions_are_listed_when_none_is_a_click(tmp_path):
    queries = [{"query_id": "q1", "query_response_hit_ids": ["b", "a"]}]
    events = [click(name="dwell"), click(name="dwell"), click(name="add_to_cart")]
    with pytest.raises(InputError) as raised:
        ingest("ubi", ubi(tmp_path, queries, events))
    said = str(raised.value)
    assert "the file has dwell (2), add_to_cart (1). Say click_types=[…]" in said
    assert "2 left out (action dwell, no click)" in said
    assert "session_id" not in said


PAGES = {
    "two pages": ([["a", "b"], ["c", "d"]], ["a", "b", "c", "d"]),
    "three pages": ([["d"], ["c"], ["a", "b"]], ["d", "c", "a", "b"]),
    "a page with what was shown before": ([["a", "b"], ["b", "c"]], ["a", "b", "c"]),
    "the same page twice": ([["a", "b"], ["a", "b"]], ["a", "b"]),
    "a page without results": ([["a", "b"], []], ["a", "b"]),
}


@pytest.mark.parametrize("case", PAGES)
def test_pages_of_one_query_id_are_one_search(tmp_path, case):
    pages, shown = PAGES[case]
    queries = [
        {"query_id": "q1", "query_response_hit_ids": page, "timestamp": 1_714_557_000_000 + at}
        for at, page in zip(range(0, 90_000, 5_000), pages, strict=False)
    ]
    queries.reverse()  # Exports come in any order; time says which page was first.
    queries.append({"query_id": "q2", "query_response_hit_ids": ["a"]})
    log = ingest("ubi", ubi(tmp_path, queries, [click(item=shown[-1])]))
    assert shown_in(log) == {"q1": shown, "q2": ["a"]}
    assert log.event_impression.tolist() == [len(shown) - 1]


def test_clicks_of_searches_without_results_are_no_faults_of_their_own(tmp_path):
    queries = [{"query_id": "q1", "query_response_hit_ids": ["a"]}, {"query_id": "q2"}]
    log = ingest("ubi", ubi(tmp_path, queries, [click(), click("q2"), click("q2", "b")]))
    assert len(log.event_impression) == 1


def test_a_query_id_of_several_texts_is_a_search_a_text(tmp_path):
    queries = [
        {"query_id": "q1", "user_query": "re", "query_response_hit_ids": ["a"]},
        {
            "query_id": "q1",
            "user_query": "red",
            "query_response_hit_ids": ["a", "b"],
            "timestamp": 1_714_557_602_000,
        },
    ]
    folder = ubi(tmp_path, queries, [click(item="a"), click(item="b")])
    log = ingest("ubi", folder)
    assert shown_in(log) == {"q1": ["a"], "q1 (2)": ["a", "b"]}
    assert log.query_texts[log.session_query].tolist() == ["re", "red"]
    assert log.event_impression.tolist() == [1, 2]


SEVERAL_TEXTS = {
    "no results named": [{"user_query": "x"}, {"user_query": "y"}],
    "results of one text alone": [
        {"user_query": "x"},
        {"user_query": "y", "query_response_hit_ids": ["b"]},
    ],
}


@pytest.mark.parametrize("case", SEVERAL_TEXTS)
def test_texts_of_which_nothing_says_what_they_showed_are_told(tmp_path, case):
    queries = [{"query_id": "q1", **document} for document in SEVERAL_TEXTS[case]]
    queries.append({"query_id": "q2", "query_response_hit_ids": ["a"]})
    events = [impression(item="b"), click(item="b"), click("q2")]
    folder, out = ubi(tmp_path, queries, events), tmp_path / "out"
    done = ingest_log(IngestConfig(source="ubi", path=str(folder), output=str(out)))
    rows = {table: counts.left_out for table, counts in done.counts.items()}
    log = load_click_log(out)
    if case == "no results named":
        why = "searches whose query_id has several texts"
        assert rows["sessions"] == {why: 2}
        assert rows["events"] == {f"of {why}": 1}
        assert rows["impressions"] == {f"of {why}": 1}
        assert shown_in(log) == {"q2": ["a"]}
    else:
        assert rows["sessions"] == {"searches without results": 1}
        assert log.query_texts[log.session_query].tolist() == ["y", "q"]
        assert shown_in(log) == {"q1": ["b"], "q2": ["a"]}


BULK = """
{"index": {"_index": "ubi_queries", "_id": "1"}}
{"application": "sample", "query_id": "q1", "client_id": "c1", "user_query": "ring", \
"query_attributes": {}, "timestamp": "2024-12-10T00:00:00.500Z"}
{"index": {"_index": "ubi_queries", "_id": "2"}}
{"application": "sample", "query_id": "q2", "client_id": "c2", "user_query": "tv", \
"query_attributes": {}, "timestamp": "2024-12-10T00:10:00.000Z"}
{"create": {"_index": "ubi_events", "_id": "3"}}
{"action_name": "impression", "query_id": "q1", "client_id": "c1", "user_query": "ring", \
"timestamp": "2024-12-10T00:00:00.500Z", "message": null, \
"event_attributes": {"object": {"object_id": "b"}, "position": {"ordinal": 0}}}
{"create": {"_index": "ubi_events", "_id": "4"}}
{"action_name": "impression", "query_id": "q1", "client_id": "c1", "user_query": "ring", \
"timestamp": "2024-12-10T00:00:00.500Z", "message": null, \
"event_attributes": {"object": {"object_id": "a"}, "position": {"ordinal": 1}}}
{"create": {"_index": "ubi_events", "_id": "5"}}
{"action_name": "click", "query_id": "q1", "client_id": "c1", "user_query": "ring", \
"timestamp": "2024-12-10T00:00:04.000Z", "message": null, \
"event_attributes": {"object": {"object_id": "a"}, "position": {"ordinal": 1}}}
"""


@pytest.fixture
def bulk(tmp_path):
    folder = tmp_path / "ubi"
    folder.mkdir()
    (folder / "ubi_queries_events.ndjson").write_text(BULK)
    (folder / "objects.csv").write_text(OBJECTS)
    return folder


@pytest.mark.parametrize("named", ["", "ubi_queries_events.ndjson"])
def test_a_bulk_file_of_queries_and_events_is_a_log(bulk, named):
    log = ingest("ubi", bulk / named)
    assert shown_in(log) == {"q1": ["b", "a"]}
    assert log.query_texts.tolist() == ["ring"]
    assert log.event_impression.tolist() == [1]
    assert log.event_created_at.tolist() == [1_733_788_804]


def test_lines_of_bulk_requests_are_no_rows(bulk):
    config = IngestConfig(source="ubi", path=str(bulk), output=str(bulk.parent / "out"))
    counts = ingest_log(config).counts
    assert counts["sessions"].n_in == 2
    assert counts["sessions"].left_out == {"searches without results": 1}
    assert (counts["impressions"].n_in, counts["events"].n_in) == (2, 1)


def test_a_bulk_request_may_stand_in_a_file_an_index(bulk):
    lines = BULK.strip().splitlines(keepends=True)
    (bulk / "ubi_queries_events.ndjson").unlink()
    (bulk / "ubi_queries.ndjson").write_text("".join(lines[:4]))
    (bulk / "ubi_events.ndjson").write_text("".join(lines[4:]))
    assert shown_in(ingest("ubi", bulk)) == {"q1": ["b", "a"]}


def test_a_bad_line_of_a_file_of_both_is_told_once(bulk):
    (bulk / "ubi_queries_events.ndjson").write_text(BULK + "{broken\n")
    with pytest.raises(InputError) as raised:
        ingest("ubi", bulk)
    assert "a line must be one whole JSON object (1 row" in str(raised.value)
