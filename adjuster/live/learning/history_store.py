"""What is done already as what is pending for a new generation, in the order of its own ticks."""

from collections.abc import Collection
from dataclasses import replace
from typing import Self

import numpy as np

from adjuster.live.learning.generations import GENERATIONS, Change, GenerationRow, read_row
from adjuster.live.storage.copies import Copies
from adjuster.live.storage.leases import Lease
from adjuster.live.storage.records import Rows, Term
from adjuster.live.storage.store import Claim, Outcome, Pair, Store, Stretch
from adjuster.ticks import tick_after


class HistoryStore:
    """A `WorkerStore` over a store's sessions that are done, for the generation being built.

    Sessions keep where they stand; a batch is written together with how far the generation has
    come, so that whoever goes on learns each session once. While another worker builds, the one
    whose row is no longer true is told so by `LeaseLost`.

    Args:
        store: The store.
        now: The present, in epoch seconds: what its ticks would take later, is taken now.
    """

    def __init__(self, store: Store, now: int) -> None:
        self.store, self.now = store, now
        self._read()

    def _read(self) -> None:
        self._text = self.store.state(GENERATIONS)
        self.row: GenerationRow = read_row(self._text)
        assert self.row.building is not None
        self.stretch: Stretch = self.row.building.stretch
        self._interval = self.row.building.champion.adjuster.interval_seconds

    def next_tick(self) -> int | None:
        """When the first session that is left is learnt; None if none is."""
        marked_at, _ = self.store.history(self.stretch, 1)
        return self._tick_of(marked_at[0]) if marked_at else None

    def _tick_of(self, marked_at: int) -> int:
        due = tick_after(np.array([marked_at], np.int64), self._interval)[0]
        return min(int(due), self.now)

    def claim(self, lease: Lease, tick: int, limit: int) -> Claim:
        """See `WorkerStore.claim`."""
        marked_at, sessions = self.store.history(self.stretch, limit)
        n = sum(1 for at in marked_at if self._tick_of(at) <= tick)
        sessions = sessions.first(n)
        if n:
            last = int(sessions.created_at[-1]), sessions.session_ids[-1]
            self.stretch = self.stretch._replace(key=(marked_at[n - 1], *last))
        return Claim(sessions)

    def finish(self, lease: Lease, outcome: Outcome) -> None:
        """See `WorkerStore.finish`."""
        row = self.row.at_stretch(self.stretch)
        Change(self._text, row, replace(outcome, done={}, failed={})).write(self.store)
        self._text, self.row = row.to_text(), row

    def release(self, lease: Lease, tick: int, reason: str, *, counts: bool) -> None:
        """See `WorkerStore.release`."""
        if read_row(self.store.state(GENERATIONS)).building is not None:
            self._read()

    def queries(self, query_ids: Collection[str]) -> dict[str, Rows]:
        """See `WorkerStore.queries`."""
        return self.store.queries(query_ids)

    def copies(self, generation: int, pairs: Collection[Pair]) -> Copies:
        """See `WorkerStore.copies`."""
        return self.store.copies(generation, pairs)

    def owners_with_copies(self, generation: int, owners: Collection[str]) -> set[str]:
        """See `WorkerStore.owners_with_copies`."""
        return self.store.owners_with_copies(generation, owners)

    def copies_version(self) -> int:
        """See `WorkerStore.copies_version`."""
        return self.store.copies_version()

    def terms(self, generation: int, pairs: Collection[Pair]) -> list[Term]:
        """See `WorkerStore.terms`."""
        return self.store.terms(generation, pairs)

    def renew(self, lease: Lease) -> bool:
        """See `WorkerStore.renew`: what is done is nobody's to take."""
        return True

    def another(self) -> Self:
        """See `WorkerStore.another`: only `renew` is called of it."""
        return self

    def close(self) -> None:
        """See `WorkerStore.close`: the store stays open."""
