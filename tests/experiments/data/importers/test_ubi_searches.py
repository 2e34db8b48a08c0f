"""Where UBI's two files name the results of a search, and how its pages come together."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from experiments.data.importers.actions import action
from experiments.data.importers.ubi import is_impression
from experiments.data.importers.ubi_files import UbiFiles, document, is_bulk_action
from experiments.data.importers.ubi_searches import (
    Pages,
    hits_of,
    nested,
    object_of,
    survey,
)


def surveyed(tmp_path, queries, events):
    for name, records in (("q.jsonl", queries), ("e.jsonl", events)):
        (tmp_path / name).write_text("".join(json.dumps(record) + "\n" for record in records))
    return survey(UbiFiles(tmp_path / "q.jsonl", tmp_path / "e.jsonl"), is_impression)


def test_a_survey_knows_who_names_results_who_pages_and_who_was_seen(tmp_path):
    queries = [
        {"query_id": "once", "query_response_hit_ids": ["a"]},
        {"_source": {"query_id": "paged", "query_response_hit_ids": ["a"]}},
        {"query_id": "paged", "query_response_object_ids": ["b"]},
        {"query_id": "none", "query_response_hit_ids": []},
        {"query_id": 7},
    ]
    events = [
        {"action_name": "impression", "query_id": 7.0},
        {"action_name": "click", "query_id": "none"},
    ]
    shown = surveyed(tmp_path, queries, events)
    names = ("once", "paged", "none", 7)
    assert [shown.names_results(name) for name in names] == [True, True, False, False]
    assert [shown.has_pages(name) for name in names] == [False, True, False, False]
    assert [shown.has_results(name) for name in names] == [True, True, False, True]


@pytest.mark.parametrize(
    ("texts", "reused"),
    [
        (["red shoes", "red  shoes "], False),
        (["red shoes", None, ""], False),
        (["red shoes", "red shoe"], True),
        (["Red", "red"], True),
    ],
)
def test_a_survey_knows_which_query_ids_stand_for_several_texts(tmp_path, texts, reused):
    queries = [{"query_id": "q", "user_query": text} for text in texts]
    assert surveyed(tmp_path, queries, []).is_reused("q") is reused


def kept(*documents):
    """Pages of one query_id: at second 0, 1, …: a text and its results."""
    pages = Pages()
    for at, (text, hits) in enumerate(documents):
        record = {"query_id": "q", "timestamp": at * 1000, "query_response_hit_ids": hits}
        pages.keep(at + 1, {**record, "user_query": text})
    found = [(r["query_id"], r["user_query"], hits, n) for _, r, hits, n in pages.together()]
    return pages, found


def test_a_new_text_is_a_search_of_its_own():
    pages, found = kept(("r", ["a"]), ("red", ["b"]), ("red", ["c"]), ("r", ["d"]))
    assert found == [
        ("q", "r", ["a"], 0),
        ("q (2)", "red", ["b"], 0),
        ("q (2)", "red", ["c"], 1),
        ("q", "r", ["d"], 1),
    ]
    assert pages.n_reused == 1


def test_a_page_without_a_text_belongs_to_the_search_before_it():
    pages, found = kept((None, ["a"]), ("red", ["b"]), ("", ["c"]))
    assert found == [("q", "red", ["a"], 0), ("q", "red", ["b"], 1), ("q", "red", ["c"], 2)]
    assert pages.n_reused == 0


@pytest.mark.parametrize(
    ("item", "second", "search"),
    [
        ("a", 9, "q"),
        ("b", 9, "q (2)"),
        ("both", 0, "q"),
        ("both", 9, "q (2)"),
        ("b", 0, "q (2)"),
        ("unknown", 0, "q"),
        ("unknown", 9, "q (2)"),
    ],
)
def test_an_event_belongs_to_the_last_search_before_it_that_shows_its_object(item, second, search):
    pages, _ = kept(("r", ["a", "both"]), ("red", ["b", "both"]))
    event = {"query_id": "q", "timestamp": second * 1000}
    event["event_attributes"] = {"object": {"object_id": item}}
    assert pages.search_of(event) == search
    assert pages.search_of({**event, "query_id": "other"}) == "other"


def test_a_survey_passes_over_lines_that_are_read_again(tmp_path):
    (tmp_path / "q.jsonl").write_text('{"query_id"\n\n[]\n')
    (tmp_path / "e.jsonl").write_bytes(b"\xff\n")
    shown = survey(UbiFiles(tmp_path / "q.jsonl", tmp_path / "e.jsonl"), is_impression)
    assert not shown.has_results("x")


@given(st.lists(st.tuples(st.integers(0, 5), st.integers(0, 3)), max_size=12))
def test_pages_run_on_in_order_of_time_and_line(pages):
    kept = Pages()
    for line, (at, n_hits) in enumerate(pages, start=1):
        hits = [f"{line}-{n}" for n in range(n_hits)]
        record = {"query_id": "q", "timestamp": at * 1000, "query_response_hit_ids": hits}
        kept.keep(line, record)
    found = list(kept.together())
    in_time = sorted(range(1, len(pages) + 1), key=lambda line: (pages[line - 1][0], line))
    assert [line for line, *_ in found] == in_time
    expected = 0
    for _, _, hits, first in found:
        assert first == expected
        expected += len(hits)


@pytest.mark.parametrize(
    ("name", "plain"),
    [
        ("click", "click"),
        ("Item Click", "item_click"),
        ("itemClick", "item_click"),
        ("item-click", "item_click"),
        (" ITEM.CLICK ", "item_click"),
        (None, "none"),
        (3, "3"),
    ],
)
def test_actions_are_compared_without_regard_to_their_spelling(name, plain):
    assert action(name) == plain


@pytest.mark.parametrize(
    ("record", "found"),
    [
        ({"event_attributes": {"object": {"object_id": "a"}}}, "a"),
        ({"event_attributes": {"data": {"data_id": "a"}}}, "a"),
        ({"event_attributes": {"object": {"object_id": 0}}}, 0),
        ({"event_attributes": {"object": "a"}}, None),
        ({"event_attributes": None}, None),
        ({}, None),
    ],
)
def test_the_object_of_an_event_is_found_under_its_names(record, found):
    assert object_of(record) == found


def test_documents_are_taken_out_of_search_hits():
    assert document({"_source": {"a": 1}}) == {"a": 1}
    assert document({"_source": "text", "a": 1}) == {"_source": "text", "a": 1}
    assert nested({"a": [1]}, "a", "b") is None
    assert hits_of({"query_response_hit_ids": None, "query_response_object_ids": [1]}) == [1]


@pytest.mark.parametrize(
    ("record", "expected"),
    [
        ({"index": {"_index": "ubi_queries", "_id": "1"}}, True),
        ({"create": {}}, True),
        ({"index": "a document's own field"}, False),
        ({"index": {}, "query_id": "q"}, False),
        ({}, False),
    ],
)
def test_an_action_of_a_bulk_request_stands_alone_in_its_line(record, expected):
    assert is_bulk_action(record) is expected
