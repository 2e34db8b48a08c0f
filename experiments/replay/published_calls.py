"""The calls of the published adjuster, laid out: where every row of every session stands.

A call takes its sessions' vectors out of a `CopyTable` in one go, and puts back what was made of
them. Of what several sessions make of one pair the last remains.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from adjuster.fused_engine.published_kernel import Sessions
from adjuster.ragged import offsets_of, row_maxima, rows_of
from adjuster.terms import changes
from experiments.data.format.click_log import ClickLog
from experiments.replay.published_copies import CopyTable
from experiments.replay.published_sessions import TaughtSessions, count_together


@dataclass(frozen=True)
class CallRows:
    """What one call reads and writes.

    Args:
        sessions: The shapes of its sessions, all their objects padded to the longest.
        place: Shape ``(n_rows,)``: where each row stands among the padded ones. Here and below
            are the parts of all that is shown, by pair, and of one pair in the order of sessions.
        row: Shape ``(n_rows,)``: its row in the table of copies.
        is_moved: Shape ``(n_rows,)``: whether its session is adjusted.
        slot: Shape ``(n_shown,)``: pair of each object that is shown.
        n_parts: Shape ``(n_shown,)``: parts of each.
        is_again: Shape ``(n_shown,)``: an earlier session of the call shows the same pair.
    """

    sessions: Sessions
    place: NDArray[np.int64]
    row: NDArray[np.int64]
    is_moved: NDArray[np.bool_]
    slot: NDArray[np.int64]
    n_parts: NDArray[np.int64]
    is_again: NDArray[np.bool_]

    @property
    def n_padded(self) -> int:
        """Rows of all sessions, padding included."""
        return int(self.sessions.offsets[-1])


@dataclass(frozen=True)
class LaidCalls:
    """All calls of some sessions.

    Args:
        taught: The sessions.
        step: Shape ``(n_calls,)``: which calls they are.
        first: Shape ``(n_calls + 1,)``: the first session of each.
        together: All of them as though they were one call, its pairs call by call.
        parts: Shape ``(n_shown + 1,)``: rows of each object that is shown.
    """

    taught: TaughtSessions
    step: NDArray[np.int64]
    first: NDArray[np.int64]
    together: CallRows
    parts: NDArray[np.int64]

    def sessions_of(self, number: int) -> slice:
        """The sessions of a call."""
        return slice(int(self.first[number]), int(self.first[number + 1]))

    def rows_of_call(self, number: int) -> CallRows:
        """What a call reads and writes."""
        whole, mine = self.together, self.sessions_of(number)
        shapes = whole.sessions
        padded = shapes.offsets[mine.start : mine.stop + 1]
        shown = slice(*self.taught.offsets[[mine.start, mine.stop]])
        rows = slice(*self.parts[[shown.start, shown.stop]])
        return CallRows(
            sessions=Sessions(padded - padded[0], *(column[mine] for column in shapes[1:])),
            place=whole.place[rows] - padded[0],
            row=whole.row[rows],
            is_moved=whole.is_moved[rows],
            slot=whole.slot[shown],
            n_parts=whole.n_parts[shown],
            is_again=whole.is_again[shown],
        )


def lay_calls(
    log: ClickLog,
    taught: TaughtSessions,
    table: CopyTable,
    n_together: NDArray[np.integer] | None = None,
) -> LaidCalls:
    """Lay out the calls of some sessions.

    Args:
        log: Says how many parts queries have.
        taught: The sessions.
        table: Holds all pairs that they show.
        n_together: Shape ``(n,)``: how many sessions each one's loss is a mean over; counted here
            if None, and then these must be all sessions of the calls that are made.
    """
    place = np.repeat(np.arange(len(taught)), taught.n_shown)
    slot = table.slots(taught.pair)
    shapes = _shapes(log, taught, table.n_parts[slot], n_together)
    within = np.arange(len(slot)) - taught.offsets[place]
    begins = shapes.offsets[place] + within * shapes.n_parts[place]
    order = np.lexsort((slot, taught.step[place]))
    place, slot, begins = place[order], slot[order], begins[order]
    n_parts = table.n_parts[slot]
    opens = np.flatnonzero(changes(taught.step))
    return LaidCalls(
        taught=taught,
        step=taught.step[opens],
        first=np.append(opens, len(taught)),
        together=CallRows(
            sessions=shapes,
            place=rows_of(begins, n_parts),
            row=rows_of(table.first[slot], n_parts),
            is_moved=np.repeat(taught.is_moved[place], n_parts),
            slot=slot,
            n_parts=n_parts,
            is_again=~changes(taught.step[place], slot),
        ),
        parts=offsets_of(n_parts),
    )


def _shapes(
    log: ClickLog,
    taught: TaughtSessions,
    n_parts: NDArray[np.int64],
    n_together: NDArray[np.integer] | None,
) -> Sessions:
    """The shapes of sessions; `n_parts` is of each object that they show."""
    n_shown, longest = taught.n_shown, row_maxima(n_parts, taught.offsets, empty=0)
    if n_together is None:
        columns = (taught.query, taught.n_clicked, n_shown, longest)
        n_together = count_together(log, taught.step, *columns)
    return Sessions(
        offsets=offsets_of(n_shown * longest),
        query=taught.query,
        n_clicked=taught.n_clicked,
        n_parts=longest,
        n_together=n_together.astype(np.int64),
    )
