"""A small index, searches of it, and a worker: all that tests of the live system are made from."""

import time

import numpy as np

from adjuster import SearchIndexInfo, TorchBasedAdjuster
from adjuster.live.learning.worker import ImprovementWorker, WorkerSettings
from adjuster.live.storage.records import Event, Impression, Query, Session

INDEX = SearchIndexInfo(3, "cosine", "min")
QUERY = Query("q", np.array([[1.0, 0.0, 0.0]], np.float32))


class Shelf:
    """An index of unit vectors, one part each."""

    def __init__(self, names="abcd"):
        rng = np.random.default_rng(0)
        self.rows = {name: rng.normal(size=(1, 3)).astype(np.float32) for name in names}

    def vectors(self, object_id):
        return self.rows[object_id]


def search(name, owner="ann", shown="abcd", *, query=QUERY, created_at=0) -> Session:
    """A session that shows one object a letter."""
    return Session(name, created_at, query, tuple(Impression(letter) for letter in shown), owner)


def fill(store, *searches, clicks=None, marked_at=0) -> None:
    """Register searches, click their first result (or those named), and mark them in order."""
    store.register(searches)
    clicks = {s.session_id: s.shown[0].object_id for s in searches} | (clicks or {})
    store.add_events(
        [
            Event(f"{name} {letter}", name, letter, created_at=0)
            for name, letters in clicks.items()
            for letter in letters
        ]
    )
    store.mark([s.session_id for s in searches], marked_at)


def make_worker(
    store, *, index=None, adjuster=None, clock=time.time, **options
) -> ImprovementWorker:
    adjuster = adjuster or TorchBasedAdjuster(INDEX, 0.01, 3)
    settings = WorkerSettings(**options)
    return ImprovementWorker(store, index or Shelf(), adjuster, settings, clock=clock)


def all_copies(store, owners=("ann", "bob")) -> dict:
    """(owner, object) → bytes."""
    return {
        (owner, name): rows.tobytes()
        for owner in owners
        for name, rows in store.owner_copies(0, owner).items()
    }
