"""What the figures of the sessions draw: their frames, worked by hand where possible."""

import numpy as np
import pandas as pd
import pytest

from experiments.review.figures import sessions


def session_rows(user, before, after, **columns) -> pd.DataFrame:
    n = len(user)
    return pd.DataFrame(
        {
            "user": user,
            "created_at": np.arange(n) * 86400,
            "before_mrr": before,
            "after_mrr": after,
            **columns,
        }
    )


def test_curve_averages_equal_stretches_in_time_order():
    table = session_rows([0] * 4, [0.0, 0.2, 0.4, 0.6], [1.0, 1.0, 0.0, 0.0]).iloc[::-1]
    frame = sessions.curve_frame(table, "mrr", n_points=2)
    assert frame["before"].tolist() == pytest.approx([0.1, 0.5])
    assert frame["after"].tolist() == [1.0, 0.0]
    assert frame["n_sessions"].tolist() == [2, 2]
    assert frame["time"].is_monotonic_increasing


def test_a_part_of_too_few_users_is_not_drawn():
    table = session_rows([*range(6), 1, 2], [0.0] * 8, [0.1, 0.2, 0.1, 0.2, 0.1, 0.2, 0.5, 0.5])
    frame = sessions.curve_frame(table, "mrr", n_points=1)
    assert frame["gain"].tolist() == pytest.approx([(0.1 + 0.35 + 0.3 + 0.2 + 0.1 + 0.2) / 6])
    assert len(sessions.curve_figure(frame, "mrr").data[0].x) == 1
    few = sessions.curve_frame(table.tail(3), "mrr", n_points=1)
    assert len(sessions.curve_figure(few, "mrr").data[0].x) == 0


def test_curve_of_few_sessions_has_a_point_each():
    frame = sessions.curve_frame(session_rows([0, 0], [0, 0], [1, 1]), "mrr")
    assert len(frame) == 2


def test_changes_add_up_to_all_sessions_and_mark_the_harmed():
    table = session_rows([0] * 4, [0.5] * 4, [0.5, 0.5, 0.78, 0.1])
    frame = sessions.change_frame(table, "mrr")
    assert frame["share"].sum() == 1.0
    assert frame.loc[frame["harmed"], "share"].sum() == 0.25
    assert frame.loc[frame["change"] == 0, "share"].tolist() == [0.5]
    figure = sessions.change_figure(frame, "mrr")
    assert figure.data[0].name == "harmed: 25.0% of the sessions"


def test_gain_by_trait_means_users_and_leaves_out_the_unknown():
    table = session_rows(
        [1, 1, 1, 2, 3, 3],
        [0.0] * 6,
        [0.1, 0.3, 0.2, 0.6, 0.9, 0.9],
        user_history=[0, 0, 0, 0, 5, -1],
    )
    frame = sessions.trait_frame(table, "mrr", "user_history")
    assert frame["bin"].tolist() == ["0", "5–9"]
    assert frame["n_sessions"].tolist() == [4, 1]
    assert frame["gain"].tolist() == pytest.approx([(0.2 + 0.6) / 2, 0.9])
    assert frame["low"].isna().all(), "too few users for an interval"


def test_gain_by_trait_has_an_interval_where_there_are_users():
    rng = np.random.default_rng(0)
    gain = 0.1 + rng.normal(size=200) * 0.05
    table = session_rows(np.arange(200), np.zeros(200), gain, click_position=np.full(200, 25))
    frame = sessions.trait_frame(table, "mrr", "click_position")
    assert frame["bin"].tolist() == ["20+"]
    assert 0.08 < frame["low"][0] < 0.1 < frame["high"][0] < 0.12
