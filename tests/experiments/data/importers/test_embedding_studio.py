"""Embedding Studio: `mongoexport` lines of sessions and events, and exports of its pgvector tables.

The fields are those of its click stream API (session_id, search_query, created_at,
search_results, user_id, is_irrelevant; event_id, session_id, object_id, event_type, created_at);
numbers may come in MongoDB's extended JSON.
"""

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from experiments.common.errors import InputError
from experiments.data.format.folder import vector_column
from experiments.data.importers.embedding_studio import order_of
from tests.experiments.data.importers.logical_log import (
    ITEMS,
    expected_log,
    ingest,
    searches,
    write_json_lines,
)

SESSIONS = """
{"_id":{"$oid":"65a"},"session_id":"s1","search_query":"red shoes",\
"created_at":{"$numberLong":"1700000000"},\
"search_results":[{"object_id":"b","rank":1,"meta":null},{"object_id":"a","rank":0,"meta":{"x":1}}],\
"user_id":"ann","is_irrelevant":false}
{"session_id":"s2","search_query":"coat","created_at":{"$date":"2023-11-15T10:00:00Z"},\
"search_results":[{"object_id":"a","rank":0.93},{"object_id":"b","rank":0.5}],"user_id":null,\
"is_irrelevant":true}
{"session_id":"s3","search_query":"nothing found","created_at":1700000100,"search_results":[]}
"""
EVENTS = """
{"event_id":"e1","session_id":"s1","object_id":"b","event_type":"click","created_at":1700000007}
{"event_id":"e2","session_id":"s2","object_id":"b","event_type":"buy","created_at":1700042407}
"""
OBJECTS = """object_id,part_id,vector,is_average,user_id,original_id
a,0,"[1,0]",false,,
a,1,"[0.6,0.8]",true,,
b,0,"[0,1]",f,,
a_ann,0,"[1,0.1]",f,ann,a
"""
QUERIES = """object_id,part_id,vector,is_average,user_id,original_id
red shoes,0,"[1,1]",f,,
coat,0,"[0,-1]",f,,
"""


@pytest.fixture
def sample(tmp_path):
    folder = tmp_path / "es"
    folder.mkdir()
    (folder / "sessions.jsonl").write_text(SESSIONS)
    (folder / "events.jsonl").write_text(EVENTS)
    (folder / "objects.csv").write_text(OBJECTS)
    (folder / "queries.csv").write_text(QUERIES)
    return folder


def test_the_sample_becomes_a_log(sample):
    log = ingest("embedding_studio", sample)
    assert log.session_ids.tolist() == ["s1", "s2"]
    assert log.session_created_at.tolist() == [1_700_000_000, 1_700_042_400]
    assert log.session_user.tolist() == [0, -1]
    assert log.session_is_irrelevant.tolist() == [False, True]
    assert log.object_ids[log.impression_object].tolist() == ["a", "b", "b", "a"]
    assert log.event_impression.tolist() == [1, 2]
    assert log.personalize_by == "user_id"


def test_milliseconds_are_the_seconds_they_stand_for(sample):
    expected = ingest("embedding_studio", sample)
    for name in ("sessions.jsonl", "events.jsonl"):
        text = (sample / name).read_text()
        for moment in ("1700000000", "1700000007", "1700042407"):
            text = text.replace(moment, f"{moment}250")
        (sample / name).write_text(text)
    log = ingest("embedding_studio", sample, overwrite=True)
    assert log.session_created_at.tolist() == expected.session_created_at.tolist()
    assert log.event_created_at.tolist() == expected.event_created_at.tolist()


def test_adjusted_copies_are_left_out(sample):
    log = ingest("embedding_studio", sample)
    assert log.object_ids.tolist() == ["a", "b"]
    assert log.object_offsets.tolist() == [0, 2, 3]
    assert log.object_is_average.tolist() == [False, True, False]
    np.testing.assert_array_equal(log.object_vectors[0], np.array([1, 0], np.float32))


def test_only_chosen_events_count(sample):
    assert len(ingest("embedding_studio", sample, click_types=["buy"]).event_impression) == 1


def test_without_query_vectors_the_texts_are_encoded(sample):
    (sample / "queries.csv").unlink()
    with pytest.raises(InputError, match="vectors of 256 numbers, which cannot be compared with"):
        ingest("embedding_studio", sample)


def test_a_query_without_its_vector_is_a_fault(sample):
    (sample / "queries.csv").write_text(QUERIES.replace("coat", "hat"))
    with pytest.raises(InputError, match=r"query_id must stand in queries\.parquet"):
        ingest("embedding_studio", sample)


@pytest.mark.parametrize(
    ("ranks", "order"),
    [
        ([0, 1, 2], [0, 1, 2]),
        ([3, 1, 2], [1, 2, 0]),
        ([0.9, 0.1], [1, 0]),
        ([-5000.0, -4889.0, -4963.0], [0, 2, 1]),
        ([7, 7, 3], [2, 0, 1]),
        (["0.5", 0.25], [1, 0]),
        ([10**400, 1], [0, 1]),
        ([None, 1], [0, 1]),
        (["near", 1], [0, 1]),
        ([float("nan"), 1], [0, 1]),
    ],
)
def test_a_rank_is_a_distance_never_a_position(ranks, order):
    assert order_of(ranks) == order


LIVE = {
    "the table says whose copy it is": (
        'a,0,"[1,0]",f,,\nb,0,"[0,1]",f,,\nx1,0,"[1,1]",f,ann,a\n',
        [("ann", ["x1", "b"], "x1", ["a", "b"])],
    ),
    "the table holds originals alone": (
        'a,0,"[1,0]",f,,\nb,0,"[0,1]",f,,\n',
        [("ann", ["b", "a_ann"], "a_ann", ["b", "a"])],
    ),
    "one name is the copy of two originals": (
        'a,0,"[1,0]",f,,\na_b,0,"[0,1]",f,,\n',
        [
            ("b_c", ["a_b_c", "a_b"], "a_b_c", ["a", "a_b"]),
            ("c", ["a_b_c", "a"], "a_b_c", ["a_b", "a"]),
        ],
    ),
    "an original ends in a user's name": (
        'a,0,"[1,0]",f,,\na_ann,0,"[0,1]",f,,\n',
        [("ann", ["a_ann", "a"], "a_ann", ["a_ann", "a"])],
    ),
    "ids and users are numbers": (
        '1,0,"[1,0]",f,,\n2,0,"[0,1]",f,,\n1_7,0,"[1,1]",f,7.0,1.0\n',
        [(7, ["1_7", 2], "1_7", ["1", "2"])],
    ),
    "a copy stands beside its original": (
        'a,0,"[1,0]",f,,\nb,0,"[0,1]",f,,\n',
        [("ann", ["a_ann", "b", "a"], "a", ["a", "b"])],
    ),
}


@pytest.mark.parametrize("case", LIVE)
def test_copies_that_were_shown_count_as_their_originals(tmp_path, case):
    rows, visits = LIVE[case]
    folder = tmp_path / "live"
    folder.mkdir()
    (folder / "objects.csv").write_text(OBJECTS.splitlines()[0] + "\n" + rows)
    (folder / "queries.csv").write_text('object_id,vector\nq,"[1,1]"\n')
    sessions, events = [], []
    for number, (user, shown, clicked, _) in enumerate(visits):
        results = [{"object_id": name, "rank": n / 10} for n, name in enumerate(shown)]
        at = 1_700_000_000 + 100 * number
        owner = {"session_id": f"s{number}", "created_at": at}
        sessions.append({**owner, "search_query": "q", "user_id": user, "search_results": results})
        events.append({**owner, "event_id": f"e{number}", "object_id": clicked})
    write_json_lines(folder / "sessions.jsonl", sessions)
    write_json_lines(folder / "events.jsonl", events)
    log = ingest("embedding_studio", folder)
    for number, (_, shown, clicked, originals) in enumerate(visits):
        rows = slice(*log.impression_offsets[number : number + 2])
        assert log.object_ids[log.impression_object[rows]].tolist() == originals
        hit = log.object_ids[log.impression_object[log.event_impression[number]]]
        assert hit == originals[[str(name) for name in shown].index(clicked) % len(originals)]


@given(log=searches(), seed=st.integers(0, 99), suffix=st.sampled_from([".jsonl", ".jsonl.gz"]))
@settings(max_examples=15, deadline=None)
def test_round_trip(tmp_path_factory, log, seed, suffix):
    folder = tmp_path_factory.mktemp("trip") / "es"
    write_json_lines(
        folder / f"sessions{suffix}",
        [
            {
                "session_id": s.name,
                "search_query": s.query,
                "created_at": s.at,
                "user_id": s.user,
                "search_results": [{"object_id": i, "rank": n} for n, i in enumerate(s.shown)],
            }
            for s in log
        ],
        seed,
    )
    write_json_lines(
        folder / f"events{suffix}",
        [
            {
                "event_id": f"{s.name}-{item}",
                "session_id": s.name,
                "object_id": item,
                "event_type": "click",
                "created_at": at,
            }
            for s in log
            for item, at in s.clicks.items()
        ],
        seed,
    )
    vectors = np.random.default_rng(seed).normal(size=(len(ITEMS), 256)).astype(np.float32)
    items = pa.table({"object_id": list(ITEMS), "vector": vector_column(vectors)})
    pq.write_table(items, folder / "objects.parquet")
    expected = expected_log(folder.parent, log, items=items)
    assert ingest("embedding_studio", folder).fingerprint == expected.fingerprint
