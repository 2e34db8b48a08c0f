"""Metarank: item, ranking and interaction events, fields as its event schema documents them."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from experiments.common.errors import InputError
from tests.experiments.data.importers.logical_log import (
    ITEMS,
    TITLES,
    expected_log,
    ingest,
    searches,
    write_json_lines,
)

EVENTS = """
{"event":"item","id":"81f46c34","timestamp":"1599391467000","item":"p1","fields":\
[{"name":"title","value":"Nice jeans"},{"name":"price","value":25.0},\
{"name":"color","value":["blue","black"]}]}
{"event":"item","id":"81f46c35","timestamp":"1599391468000","item":"p2",\
"fields":[{"name":"title","value":"Hat"}]}
{"event":"item","id":"81f46c36","timestamp":"1599391469000","item":"p2",\
"fields":[{"name":"title","value":"Silk hat"}]}
{"event":"user","id":"81f46c37","timestamp":"1599391467000","user":"u1","fields":[]}
{"event":"ranking","id":"r1","timestamp":"1599391470000","user":"u1","session":"x","fields":\
[{"name":"query","value":"jeans"},{"name":"source","value":"search"}],\
"items":[{"id":"p2"},{"id":"p1","relevancy":1.0}]}
{"event":"ranking","id":"r2","timestamp":"1599391480000","user":"u1","session":"x","fields":[],"items":[{"id":"p1"}]}
{"event":"interaction","id":"i1","ranking":"r1","timestamp":"1599391475000","user":"u1","session":"x",\
"type":"click","item":"p1","fields":[]}
{"event":"interaction","id":"i2","ranking":"r1","timestamp":"1599391476000","user":"u1","session":"x",\
"type":"purchase","item":"p1","fields":[]}
"""


@pytest.fixture
def sample(tmp_path):
    folder = tmp_path / "metarank"
    folder.mkdir()
    (folder / "events.jsonl").write_text(EVENTS)
    return folder


def test_the_sample_becomes_a_log(sample):
    log = ingest("metarank", sample)
    assert log.session_ids.tolist() == ["r1"]
    assert log.session_created_at.tolist() == [1_599_391_470]
    assert log.query_texts.tolist() == ["jeans"]
    assert log.object_ids[log.impression_object].tolist() == ["p2", "p1"]
    assert log.event_impression.tolist() == [1]
    assert log.object_titles.tolist() == ["Nice jeans", "Silk hat"]
    assert log.object_offsets.tolist() == [0, 3, 4]


def test_one_file_is_enough(sample):
    log = ingest("metarank", sample / "events.jsonl")
    assert log.n_sessions == 1


def test_purchases_count_when_asked_for(sample):
    assert len(ingest("metarank", sample, click_types=["click", "purchase"]).event_impression) == 2


def test_vectors_of_ones_own_are_taken_where_there_are(sample):
    rows = "object_id,vector\n" + "".join(f'p{n},"{[n] * 256}"\n' for n in (1, 2))
    (sample / "objects.csv").write_text(rows)
    log = ingest("metarank", sample)
    assert log.object_vectors[:, 0].tolist() == [1, 2]


def test_an_item_without_any_text_is_a_fault(sample):
    (sample / "events.jsonl").write_text(
        EVENTS.replace("Nice jeans", "").replace("blue", "").replace("black", "")
    )
    with pytest.raises(InputError, match="a text must hold at least one token"):
        ingest("metarank", sample)


@given(log=searches(), seed=st.integers(0, 99))
@settings(max_examples=15, deadline=None)
def test_round_trip(tmp_path_factory, log, seed):
    path = tmp_path_factory.mktemp("trip") / "metarank" / "events.jsonl.gz"
    items = [
        {"event": "item", "item": i, "fields": [{"name": "title", "value": title}]}
        for i, title in zip(ITEMS, TITLES, strict=True)
    ]
    rankings = [
        {
            "event": "ranking",
            "id": s.name,
            "timestamp": str(s.at * 1000),
            "user": s.user,
            "fields": [{"name": "query", "value": s.query}],
            "items": [{"id": item} for item in s.shown],
        }
        for s in log
    ]
    clicks = [
        {
            "event": "interaction",
            "id": f"{s.name}-{item}",
            "ranking": s.name,
            "timestamp": str(at * 1000),
            "type": "click",
            "item": item,
        }
        for s in log
        for item, at in s.clicks.items()
    ]
    write_json_lines(path, [*items, *rankings, *clicks], seed)
    expected = expected_log(path.parent, log)
    assert ingest("metarank", path).fingerprint == expected.fingerprint


WITHOUT_QUERY = {
    "no fields": [],
    "other fields": [{"name": "source", "value": "search"}],
    "an empty query": [{"name": "query", "value": ""}],
    "a blank query": [{"name": "query", "value": "  "}],
    "no list": None,
}


@pytest.mark.parametrize("case", WITHOUT_QUERY)
def test_rankings_without_a_query_are_told_and_their_clicks_are_no_faults(tmp_path, case):
    records = [{"event": "item", "item": "p1", "fields": [{"name": "title", "value": "Hat"}]}]
    for number in range(30):
        at = str(1_599_391_470_000 + number)
        records.append(
            {
                "event": "ranking",
                "id": f"r{number}",
                "timestamp": at,
                "fields": WITHOUT_QUERY[case],
                "items": [{"id": "p1"}],
            }
        )
        records.append(
            {
                "event": "interaction",
                "id": f"i{number}",
                "ranking": f"r{number}",
                "timestamp": at,
                "type": "click",
                "item": "p1",
            }
        )
    write_json_lines(tmp_path / "metarank" / "events.jsonl", records)
    with pytest.raises(InputError) as raised:
        ingest("metarank", tmp_path / "metarank")
    said = str(raised.value)
    assert "leaves no sessions and no impressions and no events" in said
    assert "30 left out (rankings without a query)" in said
    assert "30 left out (of rankings without a query)" in said
    assert "must stand in sessions" not in said


def interactions(folder, *types, rankings=True):
    """A log of one search, if any, and an interaction of each type with its one result."""
    records = [{"event": "item", "item": "p1", "fields": [{"name": "title", "value": "Hat"}]}]
    if rankings:
        fields = [{"name": "query", "value": "hat"}]
        search = {"event": "ranking", "id": "r1", "timestamp": "1599391470000", "fields": fields}
        records.append({**search, "items": [{"id": "p1"}]})
    click = {"event": "interaction", "ranking": "r1", "timestamp": "1599391475000", "item": "p1"}
    # As listings of flats do it: what was clicked stands in the interaction, not in an item.
    fields = [{"name": "city", "value": "Nice (06)"}, {"name": "price", "value": 90}]
    records += [
        {**click, "id": f"i{n}", "type": name, "fields": fields} for n, name in enumerate(types)
    ]
    write_json_lines(folder / "events.jsonl", records)
    return folder


@pytest.mark.parametrize("name", ["click", "clickthrough", "item_click", "Product Click"])
def test_clicks_go_by_their_common_names(tmp_path, name):
    log = ingest("metarank", interactions(tmp_path / "metarank", name, "purchase"))
    assert log.event_impression.tolist() == [0]


def test_types_are_listed_when_none_is_a_click(tmp_path):
    folder = interactions(tmp_path / "metarank", "like", "purchase", "like")
    with pytest.raises(InputError) as raised:
        ingest("metarank", folder)
    said = str(raised.value)
    assert "type must be one of click, " in said
    assert "the file has like (2), purchase (1). Say click_types=[…]" in said
    assert "2 left out (type like, no click)" in said


def test_a_file_without_rankings_says_so_and_its_clicks_are_no_faults(tmp_path):
    folder = interactions(tmp_path / "metarank", "clickthrough", "clickthrough", rankings=False)
    with pytest.raises(InputError) as raised:
        ingest("metarank", folder)
    said = str(raised.value)
    assert "no event is a ranking" in said
    assert "the file has interaction (2), item (1)" in said
    assert "2 left out (interactions with rankings that are not in the file)" in said
    assert "must stand in sessions" not in said
