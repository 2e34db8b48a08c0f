"""A click log driven through a live store and its worker on a virtual clock."""

from functools import partial

import numpy as np

from adjuster.adjusters.by_config import adjuster_for
from adjuster.live.learning.worker import ImprovementWorker, WorkerSettings
from adjuster.live.storage.records import Event, Impression, Query, Session
from adjuster.live.storage.store import Store
from adjuster.ticks import NEVER, tick_after
from experiments.replay.settings import Settings
from experiments.replay.timeline import marking_times
from tests.experiments.worker_replay import LogIndex


def names_of_owners(log, scope) -> list[str]:
    """The name of each owner, in the order of the replay's numbers."""
    known = {"none": ["everyone"], "user_id": log.user_ids, "segment": log.segments}
    return [str(name) for name in known[scope]]


def owner_names(log, scope) -> list[str | None]:
    """The owner of each session, None where it has none."""
    names = names_of_owners(log, scope)
    rows = {
        "none": np.zeros(log.n_sessions, int),
        "user_id": log.session_user,
        "segment": log.session_segment,
    }
    return [None if row < 0 else names[row] for row in rows[scope]]


def sessions_of(log, scope) -> list[Session]:
    """Every session as a client would register it."""
    queries = [
        Query(str(name), log.vectors_of_query(row), f"text of {name}")
        for row, name in enumerate(log.query_ids)
    ]
    owners = owner_names(log, scope)
    made = []
    for number, (first, last) in enumerate(
        zip(log.impression_offsets[:-1], log.impression_offsets[1:], strict=True)
    ):
        shown = log.object_ids[log.impression_object[first:last]]
        user = int(log.session_user[number])
        made.append(
            Session(
                session_id=str(log.session_ids[number]),
                created_at=int(log.session_created_at[number]),
                query=queries[log.session_query[number]],
                shown=tuple(Impression(str(name)) for name in shown),
                owner=owners[number],
                user_id=None if user < 0 else str(log.user_ids[user]),
            )
        )
    return made


def events_of(log) -> list[Event]:
    """Every event as a client would send it."""
    return [
        Event(
            event_id=f"e{number}",
            session_id=str(log.session_ids[log.event_session[number]]),
            object_id=str(log.object_ids[log.impression_object[impression]]),
            created_at=int(log.event_created_at[number]),
        )
        for number, impression in enumerate(log.event_impression)
    ]


def make_worker(store: Store, log, settings: Settings, memory, **options) -> ImprovementWorker:
    adjuster = adjuster_for(log.index, settings.adjuster)
    how = WorkerSettings(selection=settings.selection, memory=memory, **options)
    return ImprovementWorker(store, LogIndex(log), adjuster, how)


def drive(store: Store, worker: ImprovementWorker, log, config, scope, interval_seconds) -> None:
    """All that happens, in order of time; in one second: searches, events, marks, the tick."""
    happens = [
        (session.created_at, 0, partial(store.register, [session]))
        for session in sessions_of(log, scope)
    ]
    for row in np.flatnonzero(log.session_is_irrelevant):
        told = partial(store.mark_irrelevant, str(log.session_ids[row]))
        happens.append((int(log.session_created_at[row]), 1, told))
    for event in events_of(log):
        happens.append((event.created_at, 1, partial(store.add_events, [event])))
    marks = marking_times(log, config.quiet_seconds)
    known = np.flatnonzero(marks < NEVER)
    for row in known:
        at = int(marks[row])
        happens.append((at, 2, partial(store.mark, [str(log.session_ids[row])], at)))
    for at in np.unique(tick_after(marks[known], interval_seconds)):
        happens.append((int(at), 3, partial(worker.tick, int(at))))
    for _, _, call in sorted(happens, key=lambda item: item[:2]):
        call()


def copies_in(store: Store, owners) -> dict[tuple[str, str], np.ndarray]:
    """All copies of some owners."""
    return {
        (owner, object_id): rows
        for owner in owners
        for object_id, rows in store.owner_copies(0, owner).items()
    }


class ApiStore:
    """The clients' half of a store, told over HTTP; a virtual clock says when marks come.

    Args:
        post: Posts a body to a path under the click stream's, and returns the answer's status.
        clock: Set to the time of each mark.
    """

    def __init__(self, post, clock) -> None:
        self._post, self._clock = post, clock

    def _told(self, path: str, body: dict) -> None:
        assert self._post(f"/api/v1/clickstream{path}", body) == 200

    def register(self, sessions) -> None:
        for session in sessions:
            body = {
                "session_id": session.session_id,
                "search_query": session.query.query_id,
                "search_results": [{"object_id": shown.object_id} for shown in session.shown],
                "user_id": session.user_id,
                "created_at": session.created_at,
            }
            self._told("/session", body)

    def add_events(self, events) -> None:
        for event in events:
            one = {
                "event_id": event.event_id,
                "object_id": event.object_id,
                "created_at": event.created_at,
            }
            self._told("/session/events", {"session_id": event.session_id, "events": [one]})

    def mark_irrelevant(self, session_id) -> None:
        self._told("/session/irrelevant", {"session_id": session_id})

    def mark(self, session_ids, at) -> None:
        self._clock.now = float(at)
        for session_id in session_ids:
            body = {"session_id": session_id}
            self._told("/internal/session/use-for-improvement", body)
