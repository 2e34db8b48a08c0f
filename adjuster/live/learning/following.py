"""A worker that follows a champion: it learns with the one that is shown, and builds the next."""

import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from threading import Event

from adjuster.adjusters.by_config import adjuster_for
from adjuster.live.learning.generations import (
    GENERATIONS,
    Building,
    Champion,
    ChampionSource,
    Change,
    GenerationRow,
    compared_anew,
    read_row,
)
from adjuster.live.learning.history_store import HistoryStore
from adjuster.live.learning.worker import ImprovementWorker, TickReport, WorkerSettings
from adjuster.live.monitoring.modes import MODE
from adjuster.live.retrieval.nearest import NearestOriginals
from adjuster.live.storage.store import (
    BATCHES,
    GENERATION,
    LeaseLost,
    Outcome,
    Store,
    StoreUnavailable,
    Stretch,
    WorkerStore,
)

POLL_SECONDS = 60.0
"""How often it is asked for the champion."""


class FollowingWorker:
    """Ticks as `ImprovementWorker` does, with whatever generation is shown.

    Settings that are not those of the generation that is shown are a new champion: all that is
    stored is learnt anew with them, while the generation that is shown goes on; then they change
    places.

    Args:
        store: Where everything is.
        index: The originals.
        champion: The settings that this worker was started with.
        options: Batch size and lease; the rest is the champion's.
        source: Where a newer champion is found; None to stay with the one given.
        after_tick: Called after every tick with the store and its time.
        clock: Seconds; all workers of a store share it.
    """

    def __init__(
        self,
        store: Store,
        index: NearestOriginals,
        champion: Champion,
        options: WorkerSettings,
        source: ChampionSource | None = None,
        *,
        after_tick: Callable[[Store, int], object] = lambda store, now: None,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self.store, self.index, self.options, self.clock = store, index, options, clock
        self._after_tick = after_tick
        self._wanted, self._source, self._asked_at = champion, source, -POLL_SECONDS
        self._stopping = Event()
        self._current: ImprovementWorker | None = None
        self._learning: tuple[str | None, ImprovementWorker] | None = None
        self._interval = champion.adjuster.interval_seconds
        self._follow_wanted()

    @property
    def interval_seconds(self) -> int:
        """Seconds between two ticks of the generation that is shown."""
        with suppress(StoreUnavailable):
            self._interval = self._champion(self.row()).adjuster.interval_seconds
        return self._interval

    @property
    def is_stopping(self) -> bool:
        """Whether it was told to stop."""
        return self._stopping.is_set()

    def row(self) -> GenerationRow:
        """Which generations there are now."""
        return read_row(self.store.state(GENERATIONS))

    def stop(self) -> None:
        """Finish the batch under way, and take no other; may be called by a signal's handler."""
        self._stopping.set()
        if self._current is not None:
            self._current.stop()

    def tick(self, now: int) -> TickReport:
        """See `ImprovementWorker.tick`."""
        report = self._run(self._learner(), now)
        if not report.is_held:
            self._after_tick(self.store, now)
        return report

    def wait(self, seconds: float) -> None:
        """Build where there is something to build, for at most so long; else wait a while.

        It comes back when told to stop, when another generation is shown, and to be asked again.
        """
        ends_at = self.clock() + seconds
        with suppress(StoreUnavailable):  # the next tick says so
            if self._is_changed_by(ends_at):
                return
        self._stopping.wait(min(max(0.0, ends_at - self.clock()), POLL_SECONDS))

    def _is_changed_by(self, ends_at: float) -> bool:
        """Build until then, or until nothing is left; whether another generation is shown now."""
        shown = self.store.state(GENERATION)
        while not self.is_stopping and self.clock() < ends_at and self.build(int(self.clock())):
            pass
        return self.store.state(GENERATION) != shown

    def build(self, now: int) -> bool:
        """One step of the next generation: one of its ticks over what is stored, or the change.

        Args:
            now: In epoch seconds.

        Returns:
            Whether there may be more to do at once.
        """
        self._ask()
        try:
            self._follow_wanted()
            row = self.row()
            return row.building is not None and self._step(row.building, now)
        except LeaseLost:
            return False  # another worker builds

    def _ask(self) -> None:
        """See whether there is a newer champion, once in a while."""
        if self._source is None or self.clock() - self._asked_at < POLL_SECONDS:
            return
        self._asked_at = self.clock()
        self._wanted = self._source.champion() or self._wanted

    def _follow_wanted(self) -> None:
        text = self.store.state(GENERATIONS)
        row, name = read_row(text), self._wanted.name
        if row.champion is None:
            Change(text, replace(row, champion=self._wanted)).write(self.store)
        elif name in (row.champion.name, row.refused):
            if row.building is not None:
                Change(text, replace(row, building=None)).write(self.store)
                self.store.forget(row.building.generation)
        elif row.building is None or row.building.champion.name != name:
            Change(text, row.with_building(self._wanted)).write(self.store)
            if row.building is not None:
                self.store.forget(row.building.generation)

    def _step(self, building: Building, now: int) -> bool:
        history = HistoryStore(self.store, now)
        tick = history.next_tick()
        if tick is None:
            return self._go_on(now)
        worker = self._worker(history, building.champion, building.generation)
        return not self._run(worker, tick).is_held

    def _go_on(self, now: int) -> bool:
        """Take what was learnt meanwhile, or, where nothing was, change places."""
        text, last = self.store.state(GENERATIONS), self.store.state(BATCHES)
        row, n_batches = read_row(text), int(last or 0)
        if row.building is None:
            return False
        if row.building.stretch.up_to < n_batches:
            stretch = Stretch(row.building.stretch.up_to, n_batches)
            Change(text, row.at_stretch(stretch)).write(self.store)
            return True
        mode = self.store.state(MODE)
        caught_up = Outcome(
            now,
            row.building.generation,
            state=compared_anew(mode, now),
            expected={BATCHES: last, MODE: mode},
        )
        Change(text, row.flipped(n_batches), caught_up).write(self.store)
        if row.previous is not None:
            self.store.forget(row.previous)
        return False

    def _learner(self) -> ImprovementWorker:
        """The worker of the generation that is shown."""
        shown = self.store.state(GENERATION)
        if self._learning is None or self._learning[0] != shown:
            row = self.row()
            worker = self._worker(self.store, self._champion(row), row.active, {GENERATION: shown})
            self._learning = shown, worker
        return self._learning[1]

    def _worker(
        self,
        store: WorkerStore,
        champion: Champion,
        generation: int,
        expected: dict[str, str | None] | None = None,
    ) -> ImprovementWorker:
        adjuster = adjuster_for(self.index.info, champion.adjuster)
        settings = replace(
            self.options,
            selection=champion.selection,
            generation=generation,
            memory=champion.adjuster.memory,
            expected=expected or {},
        )
        return ImprovementWorker(store, self.index, adjuster, settings, clock=self.clock)

    def _run(self, worker: ImprovementWorker, tick: int) -> TickReport:
        self._current = worker
        if self.is_stopping:
            worker.stop()
        return worker.tick(tick)

    def _champion(self, row: GenerationRow) -> Champion:
        return row.champion or self._wanted
