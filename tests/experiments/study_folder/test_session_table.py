"""The session table: a row a scored session with its traits."""

import numpy as np

from experiments.study_folder.session_table import earlier_occurrences, session_table
from tests.experiments.finished_folder import make_log
from tests.experiments.planted_replay import planted_scores


def test_topmost_click_is_the_highest_of_several():
    log = make_log(n_sessions=3)
    several = {
        **log.__dict__,
        "event_impression": np.array([1, 3, 6]),
        "event_created_at": np.array([1, 1, 1]),
    }
    assert type(log)(**several).session_top_click.tolist() == [1, 2, -1]


def test_earlier_occurrences_equals_a_naive_count():
    keys = np.random.default_rng(0).integers(0, 5, 200)
    naive = [int((keys[:i] == key).sum()) for i, key in enumerate(keys)]
    assert earlier_occurrences(keys).tolist() == naive


def test_a_row_holds_scores_and_traits_of_its_session():
    log = make_log()
    scores = planted_scores(0.1, seed=0, n_sessions=600)
    table = session_table(log, scores)
    row = table.iloc[401]
    assert len(table) == 600
    assert row["session_id"] == "s401"
    assert row["click_position"] == 401 % 4
    assert row["query_frequency"] == 401 // 3
    assert row["after_ndcg_at_10"] == scores.after["ndcg_at_10"][401]
    user = log.session_user[401]
    assert row["user_history"] == (log.session_user[:401] == user).sum() or user == -1


def test_history_of_an_unknown_user_is_unknown():
    log = make_log()
    table = session_table(log, planted_scores(0.1, seed=0, n_sessions=600))
    unknown = log.session_user == -1
    assert unknown.any()
    assert (table["user_history"][unknown] == -1).all()
    assert (table["user_history"][~unknown] >= 0).all()
