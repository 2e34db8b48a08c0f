"""The figures of a click log that its data card is made of, small enough for logs of any size."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from adjuster.ticks import marking_times
from experiments.config.replay import ReplayConfig
from experiments.data.format.click_log import ClickLog
from experiments.data.format.ids import hashes
from experiments.data.format.relations import Codes

MAX_POSITION = 2**16 - 1
QUIET_SECONDS = ReplayConfig().quiet_seconds
SESSION_FIGURES = (
    "query",
    "user",
    "segment",
    "created_at",
    "is_irrelevant",
    "marked_at",
    "n_shown",
)


@dataclass(frozen=True)
class CardData:
    """A click log without its vectors and ids.

    Args:
        n_objects: Objects in the index.
        query: Shape ``(n_sessions,)``, a number a query; sessions in order of time.
        user: Shape ``(n_sessions,)``, a number a user, -1 unknown.
        segment: Shape ``(n_sessions,)``, -1 unknown.
        created_at: Shape ``(n_sessions,)``: UTC epoch seconds.
        is_irrelevant: Shape ``(n_sessions,)``.
        marked_at: Shape ``(n_sessions,)``: when it was quiet for `quiet_seconds` after an event;
            `adjuster.ticks.NEVER` without one.
        n_shown: Shape ``(n_sessions,)``.
        shown: Shape ``(n_impressions,)``: objects, session by session, by position.
        position: Shape ``(n_impressions,)``: positions up to `MAX_POSITION`.
        clicked: Shape ``(n_impressions,)``.
        judged: Impressions with a relevance.
        with_propensity: Impressions with a propensity.
        n_events: Events.
        n_early: Events before their search.
        quiet_seconds: Seconds without an event after which a session is marked.
    """

    n_objects: int
    query: NDArray[np.int64]
    user: NDArray[np.int64]
    segment: NDArray[np.int64]
    created_at: NDArray[np.int64]
    is_irrelevant: NDArray[np.bool_]
    marked_at: NDArray[np.int64]
    n_shown: NDArray[np.int64]
    shown: NDArray[np.int32]
    position: NDArray[np.uint16]
    clicked: NDArray[np.bool_]
    judged: int
    with_propensity: int
    n_events: int
    n_early: int
    quiet_seconds: int = QUIET_SECONDS


def card_data_of(log: ClickLog, quiet_seconds: int = QUIET_SECONDS) -> CardData:
    """The figures of a log in memory."""
    times = np.maximum(log.event_created_at, log.session_created_at[log.event_session])
    return CardData(
        n_objects=log.n_objects,
        query=log.session_query.astype(np.int64),
        user=log.session_user.astype(np.int64),
        segment=log.session_segment.astype(np.int64),
        created_at=log.session_created_at,
        is_irrelevant=log.session_is_irrelevant,
        marked_at=marking_times(log.event_session, times, log.n_sessions, quiet_seconds),
        n_shown=np.diff(log.impression_offsets),
        shown=log.impression_object,
        position=_small(log.impression_position),
        clicked=log.is_clicked,
        judged=int(np.isfinite(log.impression_relevance).sum()),
        with_propensity=int(np.isfinite(log.impression_propensity).sum()),
        n_events=len(log.event_impression),
        n_early=int((log.event_created_at < log.session_created_at[log.event_session]).sum()),
        quiet_seconds=quiet_seconds,
    )


def _small(positions: NDArray[np.integer]) -> NDArray[np.uint16]:
    return np.asarray(np.minimum(positions, MAX_POSITION), np.uint16)


class CardParts:
    """Gathers the figures while an import writes its parts.

    It keeps some 40 bytes per session and 7 per impression.

    Args:
        quiet_seconds: Seconds without an event after which a session is marked.
    """

    def __init__(self, quiet_seconds: int = QUIET_SECONDS) -> None:
        self._quiet_seconds = quiet_seconds
        self._sessions: list[dict[str, NDArray[Any]]] = []
        self._shown: list[NDArray[np.int32]] = []
        self._position: list[NDArray[np.uint16]] = []
        self._clicked: list[NDArray[np.bool_]] = []
        self._judged = self._with_propensity = self._n_events = self._n_early = 0

    def add(
        self, tables: dict[str, pa.Table], codes: Codes, good: dict[str, NDArray[np.bool_]]
    ) -> None:
        """Take one part: its tables, their ids as indices, and the rows that are kept."""
        sessions, impressions, events = (tables[n] for n in ("sessions", "impressions", "events"))
        kept = good["impressions"]
        order = codes.impression_order[kept[codes.impression_order]]
        session = codes.impression_session[order]
        clicked = np.zeros(len(kept), bool)
        clicked[codes.event_impression[good["events"]]] = True
        self._shown.append(codes.impression_object[order].astype(np.int32))
        self._position.append(_small(impressions["position"].to_numpy()[order]))
        self._clicked.append(clicked[order])
        n_shown = np.bincount(session, minlength=sessions.num_rows)
        marked = self._marked_at(sessions, events, codes, good["events"])
        figures = _session_figures(sessions, n_shown) | {"marked_at": marked}
        self._sessions.append({name: v[good["sessions"]] for name, v in figures.items()})
        self._judged += int(pc.sum(pc.is_valid(impressions["relevance"]).filter(kept)).as_py() or 0)
        known = pc.is_valid(impressions["propensity"]).filter(kept)
        self._with_propensity += int(pc.sum(known).as_py() or 0)
        self._count_events(sessions, events, codes, good["events"])

    def _marked_at(
        self, sessions: pa.Table, events: pa.Table, codes: Codes, kept: NDArray[np.bool_]
    ) -> NDArray[np.int64]:
        owner = codes.impression_session[codes.event_impression[kept]]
        began = sessions["created_at"].to_numpy()[owner]
        times = np.maximum(events["created_at"].to_numpy()[kept], began)
        return marking_times(owner, times, sessions.num_rows, self._quiet_seconds)

    def _count_events(
        self, sessions: pa.Table, events: pa.Table, codes: Codes, kept: NDArray[np.bool_]
    ) -> None:
        owner = codes.impression_session[codes.event_impression[kept]]
        began = sessions["created_at"].to_numpy()[owner]
        self._n_events += len(owner)
        self._n_early += int((events["created_at"].to_numpy()[kept] < began).sum())

    def finish(self, n_objects: int) -> CardData:
        """All parts together, sessions in order of time."""
        figures = {
            name: np.concatenate([part[name] for part in self._sessions])
            for name in SESSION_FIGURES
        }
        order = np.argsort(figures["created_at"], kind="stable")
        rows = _rows_in_order(figures["n_shown"], order)
        return CardData(
            n_objects=n_objects,
            query=_numbered(figures["query"])[order],
            user=_numbered(figures["user"])[order],
            segment=_numbered(figures["segment"])[order],
            created_at=figures["created_at"][order],
            is_irrelevant=figures["is_irrelevant"][order],
            marked_at=figures["marked_at"][order],
            n_shown=figures["n_shown"][order],
            shown=np.concatenate(self._shown)[rows],
            position=np.concatenate(self._position)[rows],
            clicked=np.concatenate(self._clicked)[rows],
            judged=self._judged,
            with_propensity=self._with_propensity,
            n_events=self._n_events,
            n_early=self._n_early,
            quiet_seconds=self._quiet_seconds,
        )


def _session_figures(sessions: pa.Table, n_shown: NDArray[np.int64]) -> dict[str, NDArray[Any]]:
    return {
        "query": hashes(sessions["query_id"]),
        "user": hashes(sessions["user_id"]),
        "segment": hashes(sessions["segment"]),
        "created_at": sessions["created_at"].to_numpy(),
        "is_irrelevant": sessions["is_irrelevant"].to_numpy(),
        "n_shown": n_shown,
    }


def _numbered(marks: NDArray[np.uint64]) -> NDArray[np.int64]:
    """Hashes as numbers from 0, the hash 0 of an empty cell as -1."""
    distinct, number = np.unique(marks, return_inverse=True)
    has_empty = bool(len(distinct)) and distinct[0] == 0
    return number.astype(np.int64) - int(has_empty)


def _rows_in_order(n_shown: NDArray[np.int64], order: NDArray[np.int64]) -> NDArray[np.int64]:
    """Rows of the impressions when their sessions are put into another order."""
    start = np.cumsum(n_shown) - n_shown
    lengths = n_shown[order]
    begin = np.repeat(start[order], lengths)
    return begin + np.arange(len(begin)) - np.repeat(np.cumsum(lengths) - lengths, lengths)
