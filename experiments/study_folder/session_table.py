"""A row a scored session with what is known of it, for figures and for people's own questions."""

from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from experiments.data.format.click_log import ClickLog
from experiments.replay.results import SessionScores

COLUMNS = ("session", "owner", "user", "query", "created_at", "reached", "refound", "lasting")
"""Columns that a session table shares with `SessionScores`, beside the metrics."""


def session_table(log: ClickLog, scores: SessionScores) -> pd.DataFrame:
    """The rows of a replay with the traits of each session.

    Args:
        log: The log that was replayed.
        scores: The rows.

    Returns:
        A row a scored session: ``session_id``, ``session`` (index in the log), ``user`` and
        ``owner`` (-1 unknown), ``query``, ``created_at`` (UTC epoch seconds), ``reached``,
        ``before_<metric>`` and ``after_<metric>``, ``refound``, ``lasting``,
        ``weight_<metric>`` where the metric weights clicks, ``click_position`` (of its topmost
        click, 0-based; -1 without a click), ``user_history`` (earlier sessions of its user; -1
        if unknown) and ``query_frequency`` (earlier sessions with its query).
    """
    rows = scores.session
    columns: dict[str, NDArray[Any]] = {
        "session_id": log.session_ids[rows].astype(str),
        "session": rows,
        "user": scores.user,
        "owner": scores.owner,
        "query": scores.query,
        "created_at": scores.created_at,
        "reached": scores.reached,
    }
    for prefix, metrics in (("before", scores.before), ("after", scores.after)):
        columns |= {f"{prefix}_{name}": values for name, values in metrics.items()}
    columns |= {"refound": scores.refound, "lasting": scores.lasting}
    if scores.weight is not None:
        columns[f"weight_{scores.weighted_metric}"] = scores.weight
    history = earlier_occurrences(log.session_user)
    columns["click_position"] = log.session_top_click[rows]
    columns["user_history"] = np.where(log.session_user >= 0, history, -1)[rows]
    columns["query_frequency"] = earlier_occurrences(log.session_query)[rows]
    return pd.DataFrame(columns)


TRAITS = (
    "session_id",
    "session",
    "user",
    "owner",
    "created_at",
    "reached",
    "click_position",
    "user_history",
    "query_frequency",
)


def check_session_table(table: pd.DataFrame) -> None:
    """Check that a table is one that `session_table` made.

    Raises:
        ValueError: Naming what is not there.
    """
    names = set(map(str, table))
    metrics = {name.removeprefix("after_") for name in names if name.startswith("after_")}
    needed = [*TRAITS, *(f"before_{name}" for name in sorted(metrics))]
    missing = [name for name in needed if name not in names]
    if missing or not metrics:
        raise ValueError(f"it has no column {', '.join(missing or ['after_<metric>'])}")


def read_scores(table: pd.DataFrame) -> SessionScores:
    """The rows of a replay back from its session table; sums by position are not kept."""
    metrics = [name.removeprefix("after_") for name in map(str, table) if name.startswith("after_")]
    columns: dict[str, Any] = {name: table[name].to_numpy() for name in COLUMNS}
    weights = [name for name in map(str, table) if name.startswith("weight_")]
    return SessionScores(
        **columns,
        before={name: table[f"before_{name}"].to_numpy() for name in metrics},
        after={name: table[f"after_{name}"].to_numpy() for name in metrics},
        weight=table[weights[0]].to_numpy() if weights else None,
        weighted_metric=weights[0].removeprefix("weight_") if weights else "",
    )


def earlier_occurrences(keys: NDArray[np.integer]) -> NDArray[np.int64]:
    """How often each key stood before.

    Example:
        >>> earlier_occurrences(np.array([7, 3, 7, 7])).tolist()
        [0, 0, 1, 2]
    """
    order = np.argsort(keys, kind="stable")
    in_order = keys[order]
    starts = np.searchsorted(in_order, in_order, side="left")
    counts = np.empty(len(keys), np.int64)
    counts[order] = np.arange(len(keys)) - starts
    return counts
