"""OpenSearch UBI: documents of the indices `ubi_queries` and `ubi_events`.

The fields are those of the UBI schema: application, query_id, client_id, user_query, timestamp,
query_response_hit_ids; action_name, query_id, client_id, timestamp, event_attributes.object.
"""

import json
from datetime import UTC, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.experiments.data.importers.logical_log import (
    ITEMS,
    TITLES,
    expected_log,
    ingest,
    searches,
    write_json_lines,
)

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
