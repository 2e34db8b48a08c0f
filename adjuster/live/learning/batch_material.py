"""The sessions of one batch, and what was clicked in them by the tick."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import chain, pairwise, repeat
from operator import attrgetter
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from adjuster.history import SessionHistory, first_events, judge
from adjuster.host_rows import row_faults
from adjuster.index import SearchIndexInfo
from adjuster.live.storage.pending_sessions import PendingSessions
from adjuster.live.storage.records import Rows
from adjuster.ragged import offsets_of, rows_of
from adjuster.selection import SelectionConfig


class TaughtSession(NamedTuple):
    """A session that is learnt from.

    Args:
        session_id: Its name.
        owner: Whose vectors it adjusts.
        query_id: What was asked.
        shown: Object ids in the order in which they were shown.
        clicked: Which of them were clicked by the tick.
    """

    session_id: str
    owner: str
    query_id: str
    shown: list[str]
    clicked: list[bool]


@dataclass(frozen=True, eq=False)
class TaughtSessions:
    """Sessions that are learnt from, flat and ragged.

    Args:
        session_ids: Their names.
        owners: Whose vectors each adjusts.
        query_ids: What each asked.
        created_at: Shape ``(n_sessions,)``: time of the search, in epoch seconds.
        offsets: Shape ``(n_sessions + 1,)``: a session's part of the two below.
        shown: Object ids in the order in which they were shown, session after session.
        clicked: Shape ``(n_impressions,)``: clicked by the tick.
    """

    session_ids: list[str]
    owners: list[str]
    query_ids: list[str]
    created_at: NDArray[np.int64]
    offsets: NDArray[np.int64]
    shown: list[str]
    clicked: NDArray[np.bool_]

    def __len__(self) -> int:
        return len(self.session_ids)

    def __iter__(self) -> Iterator[TaughtSession]:
        """Session by session."""
        bounds, clicked = self.offsets.tolist(), self.clicked.tolist()
        for row, (first, last) in enumerate(pairwise(bounds)):
            yield TaughtSession(
                self.session_ids[row],
                self.owners[row],
                self.query_ids[row],
                self.shown[first:last],
                clicked[first:last],
            )

    def take(self, rows: NDArray[np.int64]) -> "TaughtSessions":
        """Some of them, in the order of `rows`."""
        if np.array_equal(rows, np.arange(len(self))):
            return self
        offsets = offsets_of(np.diff(self.offsets)[rows])
        impressions = rows_of(self.offsets[rows], np.diff(offsets))
        return TaughtSessions(
            _at(self.session_ids, rows),
            _at(self.owners, rows),
            _at(self.query_ids, rows),
            self.created_at[rows],
            offsets,
            _at(self.shown, impressions),
            self.clicked[impressions],
        )

    def in_log_order(self) -> "TaughtSessions":
        """The same in order of (time, name), which is the replay's."""
        keys = list(zip(self.created_at.tolist(), self.session_ids, strict=True))
        return self.take(np.array(sorted(range(len(self)), key=keys.__getitem__), np.int64))


def _at(names: list[str], rows: NDArray[np.int64]) -> list[str]:
    return [names[row] for row in rows.tolist()]


def joined(parts: Sequence[TaughtSessions]) -> TaughtSessions:
    """Sessions of several claims, one after the other; at least one claim."""
    if len(parts) == 1:
        return parts[0]
    lengths = [np.diff(part.offsets) for part in parts]
    return TaughtSessions(
        list(chain.from_iterable(part.session_ids for part in parts)),
        list(chain.from_iterable(part.owners for part in parts)),
        list(chain.from_iterable(part.query_ids for part in parts)),
        np.concatenate([part.created_at for part in parts]),
        offsets_of(np.concatenate(lengths)),
        list(chain.from_iterable(part.shown for part in parts)),
        np.concatenate([part.clicked for part in parts]),
    )


def judge_pending(
    rule: SelectionConfig, sessions: PendingSessions, tick: int
) -> tuple[NDArray[np.int8], TaughtSessions]:
    """Judge sessions by the clicks that had come by a tick.

    Args:
        rule: Which sessions are used.
        sessions: The sessions.
        tick: In epoch seconds.

    Returns:
        Codes of `adjuster.selection.REASONS`, shape ``(n_sessions,)``, and all the sessions with
        what was clicked by then.
    """
    offsets, n_impressions = sessions.offsets, len(sessions.shown)
    clicked = first_events(sessions.click_impression, sessions.click_at, n_impressions) <= tick
    history = SessionHistory(
        created_at=sessions.created_at,
        is_irrelevant=sessions.is_irrelevant,
        offsets=offsets,
        position=np.arange(n_impressions) - np.repeat(offsets[:-1], np.diff(offsets)),
        event_session=sessions.click_session(),
        event_at=sessions.click_at,
    )
    codes = judge(rule, history, clicked, np.full(len(sessions), tick))
    names = (sessions.session_ids, sessions.owners, sessions.query_ids)
    return codes, TaughtSessions(*names, sessions.created_at, offsets, sessions.shown, clicked)


def find_faults(vectors: dict[str, Rows], info: SearchIndexInfo) -> Iterator[tuple[str, str]]:
    """What cannot be compared: of another shape, not finite, or zero under cosine.

    Args:
        vectors: By name.
        info: The metric and the dimensions.

    Yields:
        A name, and what is said of its vector.
    """
    wanted = f"must have shape (parts, {info.dimensions}) with at least one part"
    shaped = vectors
    # A batch has thousands, of a few shapes that are nearly always sound.
    if any(not _fits(shape, info) for shape in set(map(attrgetter("shape"), vectors.values()))):
        shaped = {name: mine for name, mine in vectors.items() if _fits(mine.shape, info)}
        for name in vectors.keys() - shaped.keys():
            yield name, f"{wanted}, got {vectors[name].shape}."
    if not shaped:
        return
    for bad, sentence in row_faults(np.concatenate(list(shaped.values())), info):
        if bad.any():
            names = np.repeat(list(shaped), [len(mine) for mine in shaped.values()])
            yield from zip(names[bad].tolist(), repeat(sentence), strict=False)


def _fits(shape: tuple[int, ...], info: SearchIndexInfo) -> bool:
    return shape[1:] == (info.dimensions,) and shape[0] > 0
