"""Sessions as a worker takes them: column by column, a batch's thousands in a few arrays."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from adjuster.ragged import offsets_of


class PendingSession(NamedTuple):
    """A session as a worker takes it, with its clicks so far.

    Args:
        session_id: Its name.
        owner: Whose vectors it adjusts.
        query_id: What was asked.
        created_at: Time of the search.
        is_irrelevant: Marked by the user as irrelevant.
        shown: Object ids in the order in which they were shown.
        click_positions: 0-based place of each click in `shown`.
        click_times: When each came.
    """

    session_id: str
    owner: str
    query_id: str
    created_at: int
    is_irrelevant: bool
    shown: tuple[str, ...]
    click_positions: tuple[int, ...]
    click_times: tuple[int, ...]


@dataclass(frozen=True, eq=False)
class PendingSessions:
    """Sessions with their clicks so far, flat and ragged.

    Args:
        session_ids: Their names.
        owners: Whose vectors each adjusts.
        query_ids: What each asked.
        created_at: Shape ``(n_sessions,)``: time of the search, in epoch seconds.
        is_irrelevant: Shape ``(n_sessions,)``: marked by the user as irrelevant.
        offsets: Shape ``(n_sessions + 1,)``: a session's part of `shown`.
        shown: Object ids in the order in which they were shown, session after session.
        click_impression: Shape ``(n_clicks,)``: index into `shown`.
        click_at: Shape ``(n_clicks,)``: when each came.
    """

    session_ids: list[str]
    owners: list[str]
    query_ids: list[str]
    created_at: NDArray[np.int64]
    is_irrelevant: NDArray[np.bool_]
    offsets: NDArray[np.int64]
    shown: list[str]
    click_impression: NDArray[np.int64]
    click_at: NDArray[np.int64]

    @classmethod
    def of(cls, sessions: Sequence[PendingSession]) -> "PendingSessions":
        """The columns of some sessions."""
        offsets = offsets_of([len(mine.shown) for mine in sessions])
        n_clicks = [len(mine.click_times) for mine in sessions]
        positions = [place for mine in sessions for place in mine.click_positions]
        return cls(
            session_ids=[mine.session_id for mine in sessions],
            owners=[mine.owner for mine in sessions],
            query_ids=[mine.query_id for mine in sessions],
            created_at=np.array([mine.created_at for mine in sessions], np.int64),
            is_irrelevant=np.array([mine.is_irrelevant for mine in sessions], np.bool_),
            offsets=offsets,
            shown=[name for mine in sessions for name in mine.shown],
            click_impression=np.repeat(offsets[:-1], n_clicks) + np.array(positions, np.int64),
            click_at=np.array([at for mine in sessions for at in mine.click_times], np.int64),
        )

    def __len__(self) -> int:
        return len(self.session_ids)

    def __iter__(self) -> Iterator[PendingSession]:
        """Session by session."""
        session = self.click_session()
        for row, (first, last) in enumerate(
            zip(self.offsets[:-1].tolist(), self.offsets[1:].tolist(), strict=True)
        ):
            mine = session == row
            yield PendingSession(
                session_id=self.session_ids[row],
                owner=self.owners[row],
                query_id=self.query_ids[row],
                created_at=int(self.created_at[row]),
                is_irrelevant=bool(self.is_irrelevant[row]),
                shown=tuple(self.shown[first:last]),
                click_positions=tuple((self.click_impression[mine] - first).tolist()),
                click_times=tuple(self.click_at[mine].tolist()),
            )

    def click_session(self) -> NDArray[np.int64]:
        """The session of each click, shape ``(n_clicks,)``."""
        return np.searchsorted(self.offsets, self.click_impression, side="right") - 1

    def first(self, n: int) -> "PendingSessions":
        """The first n of them."""
        end = int(self.offsets[n])
        mine = self.click_impression < end
        return PendingSessions(
            self.session_ids[:n],
            self.owners[:n],
            self.query_ids[:n],
            self.created_at[:n],
            self.is_irrelevant[:n],
            self.offsets[: n + 1],
            self.shown[:end],
            self.click_impression[mine],
            self.click_at[mine],
        )
