"""Where a live system keeps everything: what its clients write, and what its worker learns."""

from collections.abc import Collection, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from typing import NamedTuple, Protocol, Self

from adjuster.live.storage.copies import Copies
from adjuster.live.storage.leases import Lease
from adjuster.live.storage.outcome_store import OutcomeStore
from adjuster.live.storage.pending_sessions import PendingSessions
from adjuster.live.storage.records import (
    Copy,
    Event,
    Rows,
    Session,
    Status,
    StoredSession,
    Term,
)

Pair = tuple[str, str]
"""An owner and an object; two values, never joined into one name."""

BATCHES = "batches"
"""Under this name the state holds the number of the last batch that closed sessions."""

GENERATION = "generation"
"""Under this name the state holds which generation of copies is shown; 0 where it does not."""

COPIES_VERSION = "copies_version"
"""Under this name the state holds `WorkerStore.copies_version`."""

FAILED = "failed"
"""Under this reason a tick's report counts the sessions that failed."""


class UnknownSession(ValueError):
    """A session that was never registered."""


class Conflict(ValueError):
    """What is to be written is there already, and differs."""


class LeaseLost(RuntimeError):
    """Another worker has taken the sessions over; nothing of the batch was written."""


class StoreUnavailable(RuntimeError):
    """The store cannot be read or written now; nothing of what was asked for was done."""


class Claim(NamedTuple):
    """What a worker was given.

    Args:
        sessions: In the order in which they were marked.
        is_held: Another worker holds the queue, so nothing was given.
    """

    sessions: PendingSessions
    is_held: bool = False


@dataclass(frozen=True)
class Outcome:
    """What comes of a batch, or of a change of the state; written whole or not at all.

    Args:
        tick: The tick that the batch belongs to, in epoch seconds.
        generation: Which generation of copies has learnt.
        done: Session → reason of those that are done.
        failed: Session → reason of those that cannot be processed.
        copies: New vectors, which replace those of the same owner and object.
        terms: New totals, which replace those of the same owner, object and query.
        state: Named values that change together with the batch.
        expected: What named values must still be, None for not written; else it comes too late.
        reopened_after: What was done in batches after this one is pending again.
    """

    tick: int
    generation: int
    done: Mapping[str, str] = field(default_factory=dict)
    failed: Mapping[str, str] = field(default_factory=dict)
    copies: Copies | Sequence[Copy] = ()
    terms: Sequence[Term] = ()
    state: Mapping[str, str] = field(default_factory=dict)
    expected: Mapping[str, str | None] = field(default_factory=dict)
    reopened_after: int | None = None


class Stretch(NamedTuple):
    """A part of what was done: the sessions of some batches, from some session on.

    Args:
        after: Batches after this one, by number from 1; 0 is all.
        up_to: The last batch of it.
        key: (marked at, created at, id) of the session before the first one; None from the start.
    """

    after: int
    up_to: int
    key: tuple[int, int, str] | None = None


class WorkerStore(Protocol):
    """The part of a store that the improvement worker uses."""

    def claim(self, lease: Lease, tick: int, limit: int) -> Claim:
        """Take the oldest pending sessions, in order of (marked at, created at, id).

        Sessions of other leases that have run out are pending again first, or failed after
        `MOST_ATTEMPTS`. While another lease holds sessions, nothing is given. What this lease
        holds already stays with it, renewed.

        Args:
            lease: The worker's.
            tick: Sessions marked by this time are taken.
            limit: At most so many, >= 1.
        """

    def queries(self, query_ids: Collection[str]) -> dict[str, Rows]:
        """The vectors of queries, by name."""

    def copies(self, generation: int, pairs: Collection[Pair]) -> Copies:
        """The copies that there are of these pairs, to the bit as they were written.

        Raises:
            ValueError: If their dimensions differ.
        """

    def owners_with_copies(self, generation: int, owners: Collection[str]) -> set[str]:
        """Those of some owners that have any copy."""

    def copies_version(self) -> int:
        """A number that grows by one whenever copies are written or dropped."""

    def terms(self, generation: int, pairs: Collection[Pair]) -> list[Term]:
        """All that these pairs have learnt."""

    def finish(self, lease: Lease, outcome: Outcome) -> None:
        """Write a batch down, in one transaction.

        Batches that close sessions are numbered from 1; `BATCHES` in the state is the last one.

        Raises:
            LeaseLost: If the lease does not hold every session of the outcome any more, or the
                state is not what was expected.
        """

    def renew(self, lease: Lease) -> bool:
        """Hold what a lease holds until its `until`.

        A lease that has run out is renewed too, unless another one has taken its sessions.

        Returns:
            Whether it still holds any.
        """

    def another(self) -> Self:
        """Another connection to the same store, for another thread."""

    def close(self) -> None:
        """Let go of the database."""

    def release(self, lease: Lease, tick: int, reason: str, *, counts: bool) -> None:
        """Let go of what a lease holds: pending again, or failed after `MOST_ATTEMPTS`.

        Args:
            lease: The worker's.
            tick: The tick whose report counts those that fail.
            reason: Why.
            counts: Whether this was one of the attempts.
        """


class Store(WorkerStore, OutcomeStore, Protocol):
    """A whole store. One object is used by one thread at a time; any number may be open.

    What a method has returned from outlasts the process and, on a disk that keeps what it
    acknowledges, the machine. Each method is one transaction.

    Raises:
        StoreUnavailable: From every method, if the store cannot be read or written now.
    """

    def together(self) -> AbstractContextManager[None]:
        """Within the block all calls are one transaction, kept when it ends.

        A call that fails writes nothing, and leaves the others as they are; a block that fails
        writes nothing at all. Blocks may stand in each other, each failing alone.

        Raises:
            StoreUnavailable: If the store cannot be used, within the block or at its end. Nothing
                of it is written.
        """

    def register(self, sessions: Sequence[Session]) -> int:
        """Write sessions down; one that is there already is left as it is.

        Returns:
            How many were new.

        Raises:
            Conflict: If one is there already and differs, or its query does. None is written.
        """

    def add_events(self, events: Sequence[Event]) -> int:
        """Write events down; one that is there already is left as it is.

        Returns:
            How many were new.

        Raises:
            UnknownSession: If a session is not registered. No event is written.
            Conflict: If an event is there already and differs. No event is written.
            ValueError: If a session does not show its event's object. No event is written.
        """

    def mark_irrelevant(self, session_id: str) -> None:
        """Note that its user finds a session irrelevant.

        Raises:
            UnknownSession: If it is not registered.
        """

    def mark(self, session_ids: Collection[str], at: int) -> int:
        """Mark sessions for improvement; one that is marked already stays as it is.

        A session without an owner is refused, as ``no_owner``.

        Args:
            session_ids: The sessions.
            at: The time, in epoch seconds.

        Returns:
            How many were not marked before.

        Raises:
            UnknownSession: If one is not registered. None is marked.
        """

    def session(self, session_id: str) -> StoredSession:
        """A session with its events.

        Raises:
            UnknownSession: If it is not registered.
        """

    def owner_copies(self, generation: int, owner: str) -> dict[str, Rows]:
        """All copies of one owner, by object."""

    def history(self, stretch: Stretch, limit: int) -> tuple[list[int], PendingSessions]:
        """Sessions that are done, and the time at which each was marked.

        They come with their clicks so far, in order of (marked at, created at, id).

        Args:
            stretch: Which.
            limit: At most so many, >= 1.
        """

    def archive(self, after: str, limit: int) -> list[StoredSession]:
        """All sessions, some at a time, in order of their names.

        Args:
            after: The last session that was read; "" from the start.
            limit: At most so many, >= 1.
        """

    def forget(self, generation: int) -> None:
        """Drop the copies and terms of a generation."""

    def counts(self) -> dict[Status, int]:
        """How many sessions stand where; those of no session are left out."""

    def ticks(self, limit: int) -> dict[int, dict[str, int]]:
        """The last ticks that found something, the latest first: tick → reason → sessions."""

    def state(self, name: str) -> str | None:
        """A named value; None if it was never written."""

    def set_state(self, name: str, value: str) -> None:
        """Write a named value."""
