"""The bodies of requests: what they may hold, and where that ends."""

import numpy as np
import pytest
from pydantic import ValidationError

from adjuster.live.http.api_models import (
    LONGEST_TEXT,
    MOST_EVENTS,
    MOST_PARTS,
    NewEvents,
    NewSession,
    SearchBody,
    epoch_seconds,
    query_text,
)


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        (0, 0),
        (1_700_000_000, 1_700_000_000),
        (1_700_000_000.9, 1_700_000_000),
        (99_999_999_999, 99_999_999_999),
        (100_000_000_000, 100_000_000),
        (1_700_000_000_123, 1_700_000_000),
        ("1700000000", 1_700_000_000),
        ("2023-11-14T22:13:20Z", 1_700_000_000),
        ("2023-11-14T22:13:20", 1_700_000_000),
        ("2023-11-14T23:13:20.500+01:00", 1_700_000_000),
    ],
)
def test_a_time_is_seconds_milliseconds_or_iso(value, seconds):
    assert epoch_seconds(value) == seconds


@pytest.mark.parametrize(
    "value", [-1, 1e14, float("nan"), float("inf"), "nan", "yesterday", "", True, None, [1], {}]
)
def test_what_is_no_time_is_refused(value):
    with pytest.raises(ValueError, match="must be epoch seconds, milliseconds or an ISO time"):
        epoch_seconds(value)


@pytest.mark.parametrize("value", ["", None, "a\0b", "x" * (LONGEST_TEXT + 1)])
def test_what_is_no_query_is_refused(value):
    with pytest.raises(ValueError, match="must be a text or JSON of 1 to 10000 characters"):
        query_text(value)


def test_equal_data_is_one_query_however_it_is_written():
    assert query_text({"a": 1, "b": [2]}) == query_text({"b": [2], "a": 1})


@pytest.mark.parametrize(
    ("given", "shape"), [([1, 2, 3], (1, 3)), ([[1, 2, 3]], (1, 3)), ([[1, 2], [3, 4]], (2, 2))]
)
def test_one_vector_is_one_part(given, shape):
    rows = SearchBody(search_query="q", query_vector=given).vectors()
    assert (rows.shape, rows.dtype) == (shape, np.float32)
    assert SearchBody(search_query="q").vectors() is None


@pytest.mark.parametrize(
    ("schema", "body", "field"),
    [
        (SearchBody, {"search_query": "q", "query_vector": [[1.0]] * (MOST_PARTS + 1)}, "query"),
        (SearchBody, {"search_query": "q", "query_vector": []}, "query_vector"),
        (SearchBody, {"search_query": "q", "max_distance": float("nan")}, "max_distance"),
        (SearchBody, {"search_query": "q", "limit": 1001}, "limit"),
        (
            NewEvents,
            {
                "session_id": "s",
                "events": [{"event_id": "e", "object_id": "a"}] * (MOST_EVENTS + 1),
            },
            "events",
        ),
        (
            NewSession,
            {
                "session_id": "s",
                "search_query": "q",
                "search_results": [{"object_id": "a", "propensity": 0}],
            },
            "propensity",
        ),
    ],
)
def test_a_body_over_its_bounds_is_refused(schema, body, field):
    with pytest.raises(ValidationError, match=field):
        schema(**body)


def test_an_event_is_a_click_unless_it_says_otherwise():
    body = NewEvents(session_id="s", events=[{"event_id": "e", "object_id": "a", "meta": {}}])
    assert body.events[0].told() == ("e", "a", None, "click")
