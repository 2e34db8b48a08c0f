"""Scored sessions made by hand."""

import numpy as np

from experiments.replay.results import SessionScores


def make_scores(user, before, after, *, metric="ndcg_at_10", **columns) -> SessionScores:
    """Rows of one metric; whatever else they hold is harmless unless given.

    Every user has vectors of their own, each session is of a query and an hour of its own.
    """
    n = len(user)
    users = np.array(user, np.int64)
    known = {
        "session": np.arange(n),
        "owner": users,
        "user": users,
        "query": np.arange(n),
        "created_at": np.arange(n) * 3600,
        "reached": np.ones(n, bool),
        "before": {metric: np.array(before, np.float64)},
        "after": {metric: np.array(after, np.float64)},
        "refound": np.zeros(n),
    }
    arrays = {
        name: np.asarray(value) if isinstance(value, list) else value
        for name, value in columns.items()
    }
    return SessionScores(**{**known, **arrays})
