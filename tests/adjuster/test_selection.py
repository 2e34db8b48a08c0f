"""Which sessions are used, and the first reason against the others."""

import numpy as np
import pytest

from adjuster.selection import REASONS, SelectionConfig, select


def reasons(rule, **columns):
    n_sessions = len(next(iter(columns.values())))
    facts = {
        "is_irrelevant": np.zeros(n_sessions, np.bool_),
        "n_clicks": np.full(n_sessions, 2),
        "duration_seconds": np.full(n_sessions, 60),
        "last_clicked_position": np.full(n_sessions, 5),
    }
    facts |= {name: np.array(column) for name, column in columns.items()}
    return [REASONS[code] for code in select(rule, **facts)]


def test_by_default_every_session_with_a_click_is_used():
    assert reasons(SelectionConfig(), n_clicks=[0, 1, 10_000]) == [
        "too_few_clicks",
        "selected",
        "selected",
    ]


def test_a_session_marked_irrelevant_is_not():
    assert reasons(SelectionConfig(), is_irrelevant=[True, False]) == ["irrelevant", "selected"]


def test_the_bounds_themselves_are_within():
    rule = SelectionConfig(
        min_clicks=2, max_clicks=3, min_duration_seconds=10, min_clicked_position=3
    )
    assert reasons(rule, n_clicks=[1, 2, 3, 4]) == [
        "too_few_clicks",
        "selected",
        "selected",
        "too_many_clicks",
    ]
    assert reasons(rule, duration_seconds=[9, 10]) == ["too_short", "selected"]
    assert reasons(rule, last_clicked_position=[2, 3]) == ["clicks_at_top_only", "selected"]


def test_the_first_reason_counts():
    rule = SelectionConfig(min_duration_seconds=100)
    assert reasons(rule, is_irrelevant=[True, False], n_clicks=[0, 0]) == [
        "irrelevant",
        "too_few_clicks",
    ]


def test_every_bad_field_is_named_at_once():
    with pytest.raises(ValueError, match="min_clicks") as error:
        SelectionConfig(min_clicks=0, min_duration_seconds=-1, min_clicked_position=-2)
    assert len(str(error.value).splitlines()) == 3
    with pytest.raises(ValueError, match=r"max_clicks must be >= selection.min_clicks \(3\)"):
        SelectionConfig(min_clicks=3, max_clicks=2)
