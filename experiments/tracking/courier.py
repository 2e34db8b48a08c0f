"""Delivers work in the background, in order, so that a trial never waits for it."""

import queue
import threading
from collections.abc import Callable


class Courier:
    """One thread that runs what it is given; after the first error it lets the rest be.

    What is not delivered is not lost: the study keeps it, and the next start delivers it.
    """

    def __init__(self) -> None:
        self.error: Exception | None = None
        self._parcels: queue.SimpleQueue[Callable[[], None] | None] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._work, daemon=True, name="tracking")
        self._thread.start()

    def send(self, parcel: Callable[[], None]) -> None:
        """Run it when those before it are done."""
        self._parcels.put(parcel)

    def close(self) -> None:
        """Wait until everything is delivered, or given up."""
        self._parcels.put(None)
        self._thread.join()

    def _work(self) -> None:
        while (parcel := self._parcels.get()) is not None:
            if self.error is None:
                try:
                    parcel()
                except Exception as error:
                    self.error = error
