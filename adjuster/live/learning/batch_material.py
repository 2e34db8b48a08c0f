"""The sessions of one batch, with the vectors that they speak of."""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from adjuster.history import SessionHistory, first_events, judge
from adjuster.host_rows import row_faults
from adjuster.index import SearchIndexInfo
from adjuster.live.retrieval.personalization import VectorIndex
from adjuster.live.storage.records import PendingSession, Rows
from adjuster.live.storage.store import WorkerStore
from adjuster.ragged import offsets_of
from adjuster.selection import SelectionConfig


class TaughtSession(NamedTuple):
    """A session that is learnt from.

    Args:
        session: The session.
        clicked: Shape ``(n_shown,)``: which of its results were clicked by the tick.
    """

    session: PendingSession
    clicked: NDArray[np.bool_]


class Vectors(NamedTuple):
    """What a batch speaks of.

    Args:
        originals: Object → the index's own vectors.
        queries: Query → its vectors.
        faults: Object or query, as ``(kind, name)`` → why it cannot be used.
    """

    originals: dict[str, Rows]
    queries: dict[str, Rows]
    faults: dict[tuple[str, str], str]

    def fault_of(self, session: PendingSession) -> str | None:
        """Why a session cannot be learnt from; None if it can."""
        if not self.faults:
            return None
        keys = [("query", session.query_id), *(("object", name) for name in session.shown)]
        return next((self.faults[key] for key in keys if key in self.faults), None)


def judge_pending(
    rule: SelectionConfig, sessions: Sequence[PendingSession], tick: int
) -> tuple[NDArray[np.int8], list[NDArray[np.bool_]]]:
    """Judge sessions by the clicks that had come by a tick.

    Args:
        rule: Which sessions are used.
        sessions: The sessions.
        tick: In epoch seconds.

    Returns:
        Codes of `adjuster.selection.REASONS`, shape ``(n_sessions,)``, and what was clicked by
        then in each session.
    """
    offsets = offsets_of([len(session.shown) for session in sessions])
    n_clicks = [len(session.click_times) for session in sessions]
    click_session = np.repeat(np.arange(len(sessions)), n_clicks)
    positions = [place for session in sessions for place in session.click_positions]
    click_at = np.array([at for session in sessions for at in session.click_times], np.int64)
    impression = offsets[click_session] + np.array(positions, np.int64)
    clicked = first_events(impression, click_at, int(offsets[-1])) <= tick
    history = SessionHistory(
        created_at=np.array([session.created_at for session in sessions], np.int64),
        is_irrelevant=np.array([session.is_irrelevant for session in sessions], np.bool_),
        offsets=offsets,
        position=np.arange(offsets[-1]) - np.repeat(offsets[:-1], np.diff(offsets)),
        event_session=click_session,
        event_at=click_at,
    )
    codes = judge(rule, history, clicked, np.full(len(sessions), tick))
    return codes, np.split(clicked, offsets[1:-1])


def gather_vectors(
    sessions: Sequence[PendingSession], store: WorkerStore, index: VectorIndex
) -> Vectors:
    """The vectors of all that some sessions speak of.

    Args:
        sessions: The sessions.
        store: Where their queries are.
        index: Where the originals are; what it does not hold is a fault.
    """
    originals, faults = {}, {}
    for name in dict.fromkeys(name for session in sessions for name in session.shown):
        try:
            originals[name] = index.vectors(name)
        except KeyError:
            faults["object", name] = f"object {name!r} is not in the index."
    queries = store.queries({session.query_id for session in sessions})
    return Vectors(originals, queries, faults)


def find_faults(vectors: Vectors, info: SearchIndexInfo) -> Iterator[tuple[tuple[str, str], str]]:
    """What cannot be compared: of another shape, not finite, or zero under cosine.

    Args:
        vectors: Of a batch.
        info: The metric and the dimensions of both originals and queries.

    Yields:
        ``(kind, name)`` as in `Vectors`, and why.
    """
    for kind, rows in (("object", vectors.originals), ("query", vectors.queries)):
        for name, fault in _faults(rows, info):
            yield (kind, name), f"{kind} {name!r}: its vector {fault}"


def _faults(rows: dict[str, Rows], info: SearchIndexInfo) -> Iterator[tuple[str, str]]:
    wanted = f"must have shape (parts, {info.dimensions}) with at least one part"
    shaped = rows
    if any(mine.shape[1:] != (info.dimensions,) or not len(mine) for mine in rows.values()):
        shaped = {}
        for name, mine in rows.items():
            if mine.shape[1:] == (info.dimensions,) and len(mine):
                shaped[name] = mine
            else:
                yield name, f"{wanted}, got {mine.shape}."
    if not shaped:
        return
    names, ends = list(shaped), np.cumsum([len(mine) for mine in shaped.values()])
    for bad, sentence in row_faults(np.concatenate(list(shaped.values())), info):
        for number in np.searchsorted(ends, np.flatnonzero(bad), side="right").tolist():
            yield names[number], sentence
