"""What a replay knows before any setting is tried: who reads whose vectors, what is shown when,
when feedback arrives, and which sessions are scored."""

from dataclasses import dataclass
from functools import cached_property
from hashlib import blake2b

import numpy as np
from numpy.typing import NDArray

from adjuster.history import first_events
from adjuster.ticks import NEVER
from adjuster.ticks import marking_times as times_of_marking
from experiments.common.errors import InputError
from experiments.config.replay import ReplayConfig
from experiments.data.format.click_log import ClickLog

WINDOWS = ("tune", "test", "all")
"""``tune`` is scored from warmup's end to tune's end, ``test`` after it, ``all`` is both; and
``all`` also takes the ticks after the last session, so that nothing learnt is left out."""


@dataclass(frozen=True)
class Timeline:
    """A click log as one replay sees it; the same for every trial of a study.

    Sessions are those of the log up to the window's end, in order of time.

    Args:
        log: The click log.
        warmup_end: Sessions before this one are warmup.
        tune_end: Sessions from this one on are the sealed test, replayed or not.
        scored_from: First scored session.
        n_sessions: Sessions replayed; scored are ``scored_from:n_sessions``.
        closes_at: Ticks after this time are not taken, in epoch seconds.
        scope: ``user_id``, ``segment`` or ``none``.
        owner: Shape ``(n_sessions,)``: whose vectors a session reads; -1 where it has no owner.
        n_owners: Number of owners.
        withheld: Shape ``(n_sessions,)`` bool: a bystander, whose feedback is not used.
        click_at: Shape ``(n_impressions,)``: first event on an impression, or `NEVER`.
        marked_at: Shape ``(n_sessions,)``: when a session is marked for improvement: once it has
            been quiet for ``quiet_seconds`` after a click; `NEVER` without a click.
        middle_at: Time of the search half-way through the scored ones, where drift is measured a
            first time.
    """

    log: ClickLog
    warmup_end: int
    tune_end: int
    scored_from: int
    n_sessions: int
    closes_at: int
    scope: str
    owner: NDArray[np.int64]
    n_owners: int
    withheld: NDArray[np.bool_]
    click_at: NDArray[np.int64]
    marked_at: NDArray[np.int64]
    middle_at: int

    @property
    def offsets(self) -> NDArray[np.int64]:
        """Impressions of each replayed session."""
        return self.log.impression_offsets[: self.n_sessions + 1]

    @property
    def n_impressions(self) -> int:
        """Impressions of all replayed sessions."""
        return int(self.offsets[-1])

    @cached_property
    def session_of(self) -> NDArray[np.int32]:
        """Session of each impression."""
        return np.repeat(np.arange(self.n_sessions, dtype=np.int32), np.diff(self.offsets))

    @property
    def middle(self) -> int:
        """The session half-way through the scored ones."""
        return half_way(self.scored_from, self.n_sessions)

    @property
    def created_at(self) -> NDArray[np.int64]:
        """Time of each replayed session's search."""
        return self.log.session_created_at[: self.n_sessions]

    @property
    def query(self) -> NDArray[np.int32]:
        """Query of each replayed session."""
        return self.log.session_query[: self.n_sessions]


def resolve_scope(log: ClickLog, personalize_by: str | None) -> str:
    """The scope of a replay: what was asked for, or the data set's own default.

    Raises:
        InputError: If the log does not say who searched, or which segment they are in.
    """
    scope = personalize_by or log.personalize_by
    known = {"user_id": log.session_user, "segment": log.session_segment}
    if scope in known and not (known[scope] >= 0).any():
        raise InputError(
            f"replay.personalize_by={scope} needs a {scope} on the sessions, but data set "
            f"{log.name!r} has none. Use replay.personalize_by=none."
        )
    return scope


def build_timeline(log: ClickLog, config: ReplayConfig, *, window: str = "tune") -> Timeline:
    """Lay out a replay.

    Args:
        log: The click log.
        config: Splits, scope and withheld queries.
        window: One of `WINDOWS`.

    Raises:
        InputError: If the log has too few sessions for the window, or no owners for the scope.
    """
    warmup_end, tune_end = split_sessions(log, config)
    first, last = _window(log, config, window)
    scope = resolve_scope(log, config.personalize_by)
    owner, n_owners = _owners(log, scope)
    click_at = first_events(log.event_impression, log.event_created_at, log.n_impressions)
    created_at = log.session_created_at[:last]
    return Timeline(
        log=log,
        warmup_end=warmup_end,
        tune_end=tune_end,
        scored_from=first,
        n_sessions=last,
        closes_at=NEVER - 1 if window == "all" else int(created_at[-1]),
        scope=scope,
        owner=owner[:last],
        n_owners=n_owners,
        withheld=withheld_queries(log, config)[log.session_query[:last]],
        click_at=click_at[: log.impression_offsets[last]],
        marked_at=marking_times(log, config.quiet_seconds)[:last],
        middle_at=int(created_at[half_way(first, last)]),
    )


def half_way(first: int, last: int) -> int:
    """The session in the middle of ``first:last``."""
    return (first + last) // 2


def split_sessions(log: ClickLog, config: ReplayConfig) -> tuple[int, int]:
    """The first session of tune, and the first of the sealed test."""
    split = config.split
    return round(log.n_sessions * split.warmup), round(log.n_sessions * (split.warmup + split.tune))


def _window(log: ClickLog, config: ReplayConfig, window: str) -> tuple[int, int]:
    warmup_end, tune_end = split_sessions(log, config)
    first, last = {
        "tune": (warmup_end, tune_end),
        "test": (tune_end, log.n_sessions),
        "all": (warmup_end, log.n_sessions),
    }[window]
    if last <= first:
        raise InputError(
            f"The {window} part of data set {log.name!r} has no session: it has "
            f"{log.n_sessions} sessions, split {config.split.warmup} warmup and "
            f"{config.split.tune} tune. Use a longer log or another replay.split."
        )
    return first, last


def _owners(log: ClickLog, scope: str) -> tuple[NDArray[np.int64], int]:
    if scope == "none":
        return np.zeros(log.n_sessions, np.int64), 1
    if scope == "segment":
        return log.session_segment.astype(np.int64), len(log.segments)
    return log.session_user.astype(np.int64), log.n_users


def marking_times(log: ClickLog, quiet_seconds: int) -> NDArray[np.int64]:
    """When each session is marked for improvement; see `adjuster.ticks`.

    Returns:
        Shape ``(n_sessions,)``: epoch seconds, `NEVER` for a session without an event.
    """
    times = np.maximum(log.event_created_at, log.session_created_at[log.event_session])
    return times_of_marking(log.event_session, times, log.n_sessions, quiet_seconds)


def withheld_queries(log: ClickLog, config: ReplayConfig) -> NDArray[np.bool_]:
    """Which queries are bystanders: one of 1/share sets of about equal size, drawn by hash.

    Returns:
        Shape ``(n_queries,)`` bool.
    """
    if config.bystander_share == 0:
        return np.zeros(len(log.query_ids), np.bool_)
    n_folds = max(2, round(1 / config.bystander_share))
    salt = str(config.seed).encode()
    hashes = [blake2b(name.encode(), key=salt, digest_size=8).digest() for name in log.query_ids]
    ranks = np.argsort(np.argsort(np.array(hashes, dtype="S8"), kind="stable"), kind="stable")
    return np.asarray(ranks % n_folds == config.bystander_fold % n_folds)
