"""Results that were shown and of which there is no vector: what to do, and what it would cost."""

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from experiments.data.format.faults import N_EXAMPLES, show
from experiments.data.format.ids import encode, find, hashes

WITHOUT_VECTOR = "objects without a vector"
EMPTIED = "searches of which no object has a vector"
WITH_UNKNOWN = "searches that show an object without a vector"

Flags = NDArray[np.bool_]
LeaveOut = Callable[[str, str, int], None]


@dataclass
class Losses:
    """Rows that a way to treat unknown objects leaves out."""

    sessions: int = 0
    impressions: int = 0
    events: int = 0

    def add(self, rows: dict[str, Flags]) -> None:
        """Count one part's rows."""
        for table, flags in rows.items():
            setattr(self, table, getattr(self, table) + int(flags.sum()))


@dataclass
class UnknownObjects:
    """Leaves out what shows an object without a vector, and counts what each way would cost.

    Args:
        rule: ``refuse``, ``drop_impression`` or ``drop_session``.
        object_ids: Ids of the objects that have vectors.
    """

    rule: str
    object_ids: pa.Array
    total: Losses = field(default_factory=Losses)
    by_impression: Losses = field(default_factory=Losses)
    by_session: Losses = field(default_factory=Losses)
    examples: list[str] = field(default_factory=list)
    _seen: set[int] = field(default_factory=set)

    @property
    def keeps_lists_whole(self) -> bool:
        """Whether no list has lost a result."""
        return self.rule != "drop_impression" or not self.by_impression.impressions

    @property
    def refuses(self) -> bool:
        """Whether the log is refused for them."""
        return self.rule == "refuse" and bool(self.by_session.sessions)

    def flags(self, impressions: pa.Table) -> Flags:
        """Which impressions show an object without a vector."""
        unknown = find(impressions["object_id"], self.object_ids) < 0
        flags: Flags = unknown & pc.is_valid(impressions["object_id"]).to_numpy()
        return flags

    def leave_out(self, tables: dict[str, pa.Table], leave_out: LeaveOut) -> dict[str, pa.Table]:
        """Take out of one part what the rule says; a log that is refused loses whole sessions.

        Args:
            tables: ``sessions``, ``impressions`` and ``events``.
            leave_out: Told table, reason and number of rows.
        """
        for table, rows in tables.items():
            setattr(self.total, table, getattr(self.total, table) + rows.num_rows)
        unknown = self.flags(tables["impressions"])
        if not unknown.any():
            return tables
        self._remember(tables["impressions"].filter(pa.array(unknown)))
        by_impression, by_session = self._losses(tables, unknown)
        self.by_impression.add(by_impression)
        self.by_session.add(by_session)
        if self.rule == "drop_impression":
            lost = by_impression
            reasons = {"sessions": EMPTIED, "impressions": WITHOUT_VECTOR, "events": WITHOUT_VECTOR}
        else:
            lost, reasons = by_session, dict.fromkeys(tables, WITH_UNKNOWN)
        for table, flags in lost.items():
            leave_out(table, reasons[table], int(flags.sum()))
        return {table: rows.filter(pa.array(~lost[table])) for table, rows in tables.items()}

    def _remember(self, unknown: pa.Table) -> None:
        names, _ = encode(unknown["object_id"])
        marks = hashes(pa.chunked_array([names])).tolist()
        for name, mark in zip(names.to_pylist(), marks, strict=True):
            if mark not in self._seen and len(self.examples) < N_EXAMPLES:
                self.examples.append(show(name))
            self._seen.add(mark)

    def _losses(
        self, tables: dict[str, pa.Table], unknown: Flags
    ) -> tuple[dict[str, Flags], dict[str, Flags]]:
        """Rows lost if impressions, or sessions, are dropped."""
        names, shown_in = encode(tables["impressions"]["session_id"])
        n_shown = np.bincount(shown_in, minlength=len(names) + 1)
        n_unknown = np.bincount(shown_in[unknown], minlength=len(names) + 1)
        hit, emptied = n_unknown > 0, (n_unknown > 0) & (n_unknown == n_shown)
        session = find(tables["sessions"]["session_id"], names)
        event_in = find(tables["events"]["session_id"], names)
        known = find(tables["events"]["object_id"], self.object_ids) >= 0
        by_impression = {
            "sessions": emptied[session] & (session >= 0),
            "impressions": unknown,
            "events": hit[event_in] & (event_in >= 0) & ~known,
        }
        by_session = {
            "sessions": hit[session] & (session >= 0),
            "impressions": hit[shown_in],
            "events": hit[event_in] & (event_in >= 0),
        }
        return by_impression, by_session

    def describe(self) -> str:
        """Which objects are unknown and what the two ways to go on would cost."""
        one, whole, total = self.by_impression, self.by_session, self.total
        return (
            f"impressions: {_of(one.impressions, total.impressions, 'results')} show one of "
            f"{len(self._seen):,} objects that are not among the items "
            f"({', '.join(self.examples)}{', …' if len(self._seen) > N_EXAMPLES else ''}). "
            "Add their vectors, or say unknown_objects=drop_impression, which leaves out these "
            f"results with {_of(one.events, total.events, 'events')} and "
            f"{_of(one.sessions, total.sessions, 'searches')} that show nothing else, or "
            "unknown_objects=drop_session, which leaves out "
            f"{_of(whole.sessions, total.sessions, 'searches')} with "
            f"{_of(whole.impressions, total.impressions, 'results')} and "
            f"{_of(whole.events, total.events, 'events')}."
        )


def _of(n: int, total: int, what: str) -> str:
    return f"{n:,} of {total:,} {what} ({n / max(total, 1):.1%})"
