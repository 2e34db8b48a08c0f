"""Moves what searches tell of their health into the store, now and then."""

from collections.abc import Callable
from threading import Lock

from adjuster.live.monitoring.health import HealthLog
from adjuster.live.storage.outcome_store import OutcomeStore

SECONDS = 5.0
"""What a process that is killed may lose."""


class HealthKeeper:
    """Writes a process's `HealthLog` down; any thread may call it.

    Args:
        health: What searches add to.
        clock: Epoch seconds.
    """

    def __init__(self, health: HealthLog, clock: Callable[[], float]) -> None:
        self._health, self._clock = health, clock
        self._lock, self._kept_at = Lock(), clock()

    def now_and_then(self, store: OutcomeStore) -> None:
        """Write it down if that was not done in the last `SECONDS`."""
        with self._lock:
            if self._clock() - self._kept_at < SECONDS:
                return
            self._kept_at = self._clock()
        self.now(store)

    def now(self, store: OutcomeStore) -> None:
        """Write it down."""
        self._health.flush(store, self._clock())
