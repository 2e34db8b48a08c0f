"""The figures of a card: counted from a log in memory, and from the parts of an import."""

from dataclasses import fields

import numpy as np
import pyarrow as pa
import pytest

from experiments.data.card.counts import CardData, CardParts, card_data_of
from experiments.data.format.click_log import ClickLog
from experiments.data.format.faults import Faults
from experiments.data.format.relations import check_relations
from tests.experiments.random_log import make_log


def tables_of(log: ClickLog, sessions: range) -> dict[str, pa.Table]:
    """Some sessions of a log as the tables they were read from, their latest first."""
    rows = list(reversed(sessions))
    users, segments = [*log.user_ids, None], [*log.segments, None]
    owner = np.repeat(np.arange(log.n_sessions), np.diff(log.impression_offsets))
    shown = [i for i in range(log.n_impressions) if owner[i] in sessions]
    events = [e for e, i in enumerate(log.event_impression) if owner[i] in sessions]

    def numbers(values: np.ndarray) -> pa.Array:
        return pa.array(values[shown], from_pandas=True)  # NaN becomes null

    def ids(values: list[str | None]) -> pa.Array:
        return pa.array(values, pa.large_string())

    impression = log.event_impression[events]
    return {
        "sessions": pa.table(
            {
                "session_id": ids([log.session_ids[s] for s in rows]),
                "query_id": ids([log.query_ids[log.session_query[s]] for s in rows]),
                "user_id": ids([users[log.session_user[s]] for s in rows]),
                "segment": ids([segments[log.session_segment[s]] for s in rows]),
                "created_at": log.session_created_at[rows],
                "is_irrelevant": log.session_is_irrelevant[rows],
            }
        ),
        "impressions": pa.table(
            {
                "session_id": ids(log.session_ids[owner[shown]].tolist()),
                "position": log.impression_position[shown],
                "object_id": ids(log.object_ids[log.impression_object[shown]].tolist()),
                "relevance": numbers(log.impression_relevance),
                "propensity": numbers(log.impression_propensity),
            }
        ),
        "events": pa.table(
            {
                "event_id": ids([f"e{e}" for e in events]),
                "session_id": ids(log.session_ids[owner[impression]].tolist()),
                "object_id": ids(log.object_ids[log.impression_object[impression]].tolist()),
                "created_at": log.event_created_at[events],
            }
        ),
    }


def counted(log: ClickLog, parts: list[range], dropped: frozenset[str] = frozenset()) -> CardData:
    """The figures gathered part by part, all rows of some sessions left out."""
    gathered = CardParts()
    for part in parts:
        tables = tables_of(log, part)
        codes = check_relations(
            tables,
            pa.array(log.object_ids, pa.large_string()),
            pa.array(log.query_ids, pa.large_string()),
            Faults(),
        )
        good = {
            name: np.array([s not in dropped for s in data["session_id"].to_pylist()], bool)
            for name, data in tables.items()
        }
        gathered.add(tables, codes, good)
    return gathered.finish(log.n_objects)


def same_groups(one: np.ndarray, two: np.ndarray) -> bool:
    """Whether two numberings put the same rows together, and call the same unknown."""
    together = (one[:, None] == one) == (two[:, None] == two)
    return bool(together.all() and ((one < 0) == (two < 0)).all())


def assert_same_figures(one: CardData, two: CardData) -> None:
    for name in (field.name for field in fields(CardData)):
        first, second = getattr(one, name), getattr(two, name)
        if name in ("query", "user", "segment"):
            assert same_groups(first, second), name
        else:
            np.testing.assert_array_equal(first, second, err_msg=name)


def test_a_logs_figures_equal_a_naive_count() -> None:
    log = make_log(3)
    data = card_data_of(log)
    owner = [s for s in range(log.n_sessions) for _ in range(data.n_shown[s])]
    pairs = list(zip(log.event_impression.tolist(), log.event_created_at.tolist(), strict=True))
    assert data.n_objects == 12
    assert data.clicked.tolist() == [i in dict(pairs) for i in range(log.n_impressions)]
    assert data.n_events == len(pairs)
    assert data.judged == data.with_propensity == log.n_impressions == len(owner)
    assert data.n_early == sum(at < log.session_created_at[owner[i]] for i, at in pairs) == 0


def test_what_is_not_logged_and_what_came_early_is_counted() -> None:
    log = make_log(4)
    log.impression_relevance[[0, 5, 6]] = np.nan
    log.impression_propensity[2] = np.nan
    log.event_created_at[:2] = 0
    data = card_data_of(log)
    assert data.judged == log.n_impressions - 3
    assert data.with_propensity == log.n_impressions - 1
    assert data.n_early == 2


@pytest.mark.parametrize(
    "parts", [[range(60)], [range(40, 60), range(40)], [range(20, 60), range(7), range(7, 20)]]
)
@pytest.mark.parametrize("seed", [1, 2])
def test_an_imports_parts_give_the_figures_of_the_whole_log(seed: int, parts: list[range]) -> None:
    log = make_log(seed, span_seconds=10**6)
    assert len(set(log.session_created_at)) == log.n_sessions  # no ties: the order is one
    log.impression_relevance[::3] = np.nan
    log.impression_propensity[1::4] = np.nan
    log.event_created_at[::5] = 0
    assert_same_figures(counted(log, parts), card_data_of(log))


def test_rows_that_are_not_kept_are_not_counted() -> None:
    log = make_log(5, span_seconds=10**6)
    gone = frozenset(log.session_ids[40:])
    kept = counted(log, [range(30), range(30, 60)], gone)
    assert_same_figures(kept, counted(log, [range(40)]))


def test_users_whom_nobody_knows_are_no_user() -> None:
    log = make_log(6, span_seconds=10**6)
    log.session_user[:] = -1
    assert counted(log, [range(60)]).user.tolist() == [-1] * 60


def test_known_users_are_numbered_without_gaps() -> None:
    log = make_log(7, unknown_users=False, span_seconds=10**6)
    users = counted(log, [range(10), range(10, 60)]).user
    assert set(users.tolist()) == set(range(4))
