"""The data card: what a click log holds, and what to know before believing a figure made of it."""

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from adjuster.config import AdjusterConfig
from adjuster.ticks import NEVER, tick_after
from experiments.config.replay import SCOPES
from experiments.data.card.counts import CardData

N_POSITIONS = 20
N_TIME_BINS = 40
BUCKET_ROWS = 4_000_000
DAY = 86_400
LITTLE_REACH = 0.01
INTERVAL_SECONDS = AdjusterConfig().interval_seconds


@dataclass(frozen=True)
class DataCard:
    """The figures of a data set. Shares are in [0, 1]; NaN where there is nothing to divide by.

    Args:
        name: Of the data set.
        sessions: Searches.
        users: Known users.
        objects: Objects in the index.
        queries: Distinct queries that were asked.
        impressions: Shown results.
        events: Clicks and what counts as such.
        first_session: UTC epoch seconds.
        last_session: UTC epoch seconds.
        clicks_a_session: Mean, median, ninetieth percentile and maximum of the clicked objects.
        sessions_with_clicks: Share.
        click_rate_by_position: Share of the results clicked at positions 0, 1, 2 …
        clicks_a_session_counts: Sessions with 0, 1, 2 … 9 and with 10 or more clicked objects.
        sessions_over_time: Sessions in equal stretches of the time span.
        repeat_rate: Share of sessions whose query was asked before (``query``), of sessions whose
            user came before (``user``), and of impressions whose user was shown the object before
            (``user_object``).
        expected_reach: Scope → share of all sessions that show at least one object that feedback
            in an earlier session of the same owner has adjusted by then, with the worker's ticks
            and quiet time as they are set.
        reach_at_once: The same if feedback were learnt as soon as it came.
        interval_seconds: Seconds between ticks.
        quiet_seconds: Seconds without an event after which a session is marked.
        judged: Share of the impressions with a relevance.
        with_propensity: Share of the impressions with a propensity.
        warnings: What a reader must know.
        rows: Table → what an import made of its source's rows: ``read`` = ``written`` +
            ``quarantined`` + ``left_out``. Empty for a set that was not imported.
    """

    name: str
    sessions: int
    users: int
    objects: int
    queries: int
    impressions: int
    events: int
    first_session: int
    last_session: int
    clicks_a_session: dict[str, float]
    sessions_with_clicks: float
    click_rate_by_position: list[float]
    clicks_a_session_counts: list[int]
    sessions_over_time: list[int]
    repeat_rate: dict[str, float]
    expected_reach: dict[str, float]
    reach_at_once: dict[str, float]
    interval_seconds: int
    quiet_seconds: int
    judged: float
    with_propensity: float
    warnings: list[str]
    rows: dict[str, dict[str, int]]

    def to_dict(self) -> dict[str, Any]:
        """The card as plain values, for JSON."""
        return asdict(self)


def make_card(
    name: str,
    data: CardData,
    rows: dict[str, dict[str, int]] | None = None,
    *,
    interval_seconds: int = INTERVAL_SECONDS,
) -> DataCard:
    """Work out the card of a log.

    Args:
        name: Of the data set.
        data: With at least one session.
        rows: What an import made of its source's rows, if the log was imported.
        interval_seconds: Seconds between the worker's ticks.
    """
    session = np.repeat(np.arange(len(data.query)), data.n_shown)
    position = data.position.astype(np.int64)
    clicks = np.bincount(session[data.clicked], minlength=len(data.query))
    reach = {scope: expected_reach(data, scope, interval_seconds) for scope in SCOPES}
    at_once = {scope: expected_reach(data, scope, None) for scope in SCOPES}
    return DataCard(
        name=name,
        sessions=len(data.query),
        users=_n_known(data.user),
        objects=data.n_objects,
        queries=_n_known(data.query),
        impressions=len(session),
        events=data.n_events,
        first_session=int(data.created_at[0]),
        last_session=int(data.created_at[-1]),
        clicks_a_session=_spread(clicks),
        sessions_with_clicks=float((clicks > 0).mean()),
        click_rate_by_position=_click_rates(position, data.clicked),
        clicks_a_session_counts=np.bincount(np.minimum(clicks, 10), minlength=11).tolist(),
        sessions_over_time=np.histogram(data.created_at, bins=N_TIME_BINS)[0].tolist(),
        repeat_rate=_repeat_rates(data, session),
        expected_reach=reach,
        reach_at_once=at_once,
        interval_seconds=interval_seconds,
        quiet_seconds=data.quiet_seconds,
        judged=data.judged / max(len(session), 1),
        with_propensity=data.with_propensity / max(len(session), 1),
        warnings=[
            *find_warnings(data, clicks, position),
            *_reach_warnings(data, reach, at_once, interval_seconds),
        ],
        rows=rows or {},
    )


def _n_known(number: NDArray[np.int64]) -> int:
    return len(np.unique(number[number >= 0]))


def _spread(clicks: NDArray[np.int64]) -> dict[str, float]:
    median, ninetieth = np.quantile(clicks, [0.5, 0.9])
    return {
        "mean": float(clicks.mean()),
        "median": float(median),
        "ninetieth_percentile": float(ninetieth),
        "maximum": float(clicks.max()),
    }


def _click_rates(position: NDArray[np.int64], clicked: NDArray[np.bool_]) -> list[float]:
    top = position < N_POSITIONS
    shown = np.bincount(position[top])
    hits = np.bincount(position[top & clicked], minlength=len(shown))
    return [float(rate) for rate in hits / np.maximum(shown, 1)]


def _repeat_rates(data: CardData, session: NDArray[np.int64]) -> dict[str, float]:
    user = data.user[session]
    known = user >= 0
    pairs = user[known] * max(data.n_objects, 1) + data.shown[known]
    return {
        "query": _repeated_share(data.query),
        "user": _repeated_share(data.user[data.user >= 0]),
        "user_object": _repeated_share(pairs),
    }


def _repeated_share(values: NDArray[np.int64]) -> float:
    """Share of the values that stood before."""
    return 1 - len(np.unique(values)) / len(values) if len(values) else float("nan")


def expected_reach(data: CardData, scope: str, interval_seconds: int | None) -> float:
    """The share of all sessions that feedback in earlier sessions of their owner reaches.

    A session with a click that is not marked as irrelevant adjusts, at the first tick after it
    was marked, every object it shows, for its owner. A session is reached if it shows one that
    was adjusted before; a search at the very second of a tick is too early.

    Args:
        data: The log.
        scope: ``user_id``, ``segment`` or ``none``.
        interval_seconds: Seconds between ticks; None takes feedback to be learnt as soon as its
            session began, with no waiting for ticks and quiet.
    """
    everyone = np.zeros(len(data.query), np.int64)
    owner = {"user_id": data.user, "segment": data.segment, "none": everyone}[scope]
    session = np.repeat(np.arange(len(owner)), data.n_shown)
    teaches = np.zeros(len(owner), bool)
    teaches[session[data.clicked]] = True
    teaches &= ~data.is_irrelevant
    if interval_seconds is None:
        began = learnt = np.arange(len(owner))
    else:
        began, learnt = data.created_at, tick_after(data.marked_at, interval_seconds)
    learnt = np.where(teaches, learnt, NEVER)
    reached = np.zeros(len(owner), bool)
    n_buckets = len(session) // BUCKET_ROWS + 1
    for bucket in range(n_buckets):
        rows = np.flatnonzero((data.shown % n_buckets == bucket) & (owner[session] >= 0))
        pair = owner[session[rows]] * max(data.n_objects, 1) + data.shown[rows]
        reached[_reached(pair, session[rows], began, learnt)] = True
    return float(reached.mean())


def _reached(
    pair: NDArray[np.int64],
    session: NDArray[np.int64],
    began: NDArray[np.int64],
    learnt: NDArray[np.int64],
) -> NDArray[np.int64]:
    """Sessions that show, in one of these rows, an (owner, object) learnt before they began."""
    if not len(pair):
        return pair
    order = np.argsort(pair, kind="stable")
    mine, when = pair[order], session[order]
    starts = np.flatnonzero(np.r_[True, np.diff(mine) != 0])
    first = np.minimum.reduceat(learnt[when], starts)
    first = np.repeat(first, np.diff(np.r_[starts, len(mine)]))
    return np.unique(when[began[when] > first])


def find_warnings(
    data: CardData,
    clicks: NDArray[np.int64],
    position: NDArray[np.int64],
) -> list[str]:
    """What would make a figure of this log misleading.

    Args:
        data: The log.
        clicks: Shape ``(n_sessions,)``: clicked objects.
        position: Shape ``(n_impressions,)``.
    """
    warnings = [*_heavy_user(data, clicks), *_click_positions(data, position)]
    if data.n_early:
        share = data.n_early / max(data.n_events, 1)
        warnings.append(f"{data.n_early:,} events ({share:.1%}) came before their search.")
    if data.created_at[-1] - data.created_at[0] < DAY:
        warnings.append(
            "The log spans less than a day: its end says little about what comes after."
        )
    if (clicks > 0).mean() < 0.05:
        warnings.append(f"Only {(clicks > 0).mean():.1%} of the sessions have a click.")
    return warnings


def _reach_warnings(
    data: CardData, reach: dict[str, float], at_once: dict[str, float], interval_seconds: int
) -> list[str]:
    """Scopes under which next to nothing is reached, and whether ticks and quiet are the cause."""
    known = {"user_id": data.user, "segment": data.segment, "none": data.query}
    warnings = []
    for scope, value in reach.items():
        if value >= LITTLE_REACH or not (known[scope] >= 0).any():
            continue
        cause = "no setting can change what is not reached."
        if at_once[scope] >= LITTLE_REACH:
            cause = (
                f"ticks every {interval_seconds:,} s after {data.quiet_seconds:,} s of quiet come "
                f"too late; feedback learnt at once would reach {at_once[scope]:.2%}."
            )
        warnings.append(f"personalize_by={scope} would reach {value:.2%} of the sessions: {cause}")
    return warnings


def _heavy_user(data: CardData, clicks: NDArray[np.int64]) -> list[str]:
    known = data.user >= 0
    if not known.any() or not clicks.sum():
        return []
    by_user = np.bincount(data.user[known], weights=clicks[known])
    share = by_user.max() / clicks.sum()
    if share < 1 / 3 or _n_known(data.user) == 1:
        return []
    return [f"One user has {share:.0%} of all clicks: a crawler, a test account, a shared login?"]


def _click_positions(data: CardData, position: NDArray[np.int64]) -> list[str]:
    clicked = position[data.clicked]
    if len(clicked) and not clicked.any() and (data.n_shown > 1).any():
        return [
            "All clicks are at position 0: the log may hold only the result that was opened, or "
            "positions may be wrong."
        ]
    if data.clicked.all():
        return ["Every shown result was clicked: the log may hold only clicked results."]
    return []
