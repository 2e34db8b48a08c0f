"""After every tick: count the interleaved searches that have settled, and decide."""

import json
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field, replace
from typing import NamedTuple

import numpy as np

from adjuster.live.monitoring.decision import OFF, ON, UNDECIDED, Decision, decide
from adjuster.live.monitoring.health import Health
from adjuster.live.monitoring.modes import MODE, Mode, ModeRow, read_mode
from adjuster.live.monitoring.monitor_config import MonitorConfig
from adjuster.live.monitoring.tally import Tally
from adjuster.live.ranking.interleaving import outcomes
from adjuster.live.storage.outcome_store import (
    ClusterTotal,
    Counting,
    InterleavedSession,
    OutcomeStore,
)

COMPARISON = "comparison"
"""Under this name the state holds the running sums of the comparison."""

SESSIONS_AT_ONCE = 5_000
"""Searches counted in one transaction."""

MOST_TRIES = 5
"""So often a look begins anew when another worker or a change of the mode came between."""

COMPARING = (Mode.INTERLEAVE, Mode.ON)
"""Modes in which searches are interleaved."""


@dataclass(frozen=True)
class Comparison:
    """One comparison of the two rankings: from one change of the mode to the next.

    Args:
        since: When it began, in epoch seconds.
        planned: Sessions by which a decision is expected; it stays as it was at the beginning.
        tally: The outcomes so far.
    """

    since: int
    planned: int
    tally: Tally = field(default_factory=Tally)

    def to_text(self) -> str:
        """The comparison as the state holds it."""
        return json.dumps(asdict(self))


class Look(NamedTuple):
    """How things stand after a look.

    Args:
        row: The mode.
        comparison: The comparison under way, or the last one; None if there was none.
        decision: What it says; None without a comparison.
    """

    row: ModeRow
    comparison: Comparison | None
    decision: Decision | None


def read_comparison(text: str | None) -> Comparison | None:
    """The comparison of a state's text; None where there is none."""
    if text is None:
        return None
    found = json.loads(text)
    return Comparison(found["since"], found["planned"], Tally(**found["tally"]))


def current_look(store: OutcomeStore, config: MonitorConfig) -> Look:
    """How things stand, without looking at anything new."""
    state = store.states([MODE, COMPARISON])
    row, comparison = read_mode(state.get(MODE)), read_comparison(state.get(COMPARISON))
    return Look(row, comparison, _decided(comparison, config) if comparison else None)


def look(store: OutcomeStore, now: int, config: MonitorConfig) -> Look:
    """Look after a tick; the mode changes in the transaction that counts what it is changed by.

    Every interleaved search is counted once, at the first tick at which it is old enough, with
    the clicks that it has then. A broken guardrail turns the system off, and so does a loss of the
    adjusted ranking; while interleaving, a win turns it on, and the planned number of sessions
    without either turns it off.

    Args:
        store: The system's.
        now: The tick's time, in epoch seconds.
        config: The rules.
    """
    tries = 0
    while True:
        state = store.states([MODE, COMPARISON])
        row = read_mode(state.get(MODE))
        if row.mode is Mode.OFF:
            break
        counting, is_last = _next_counting(store, now, row, state, config)
        if counting is not None and not store.count(counting):
            tries += 1
            if tries == MOST_TRIES:
                break
        elif is_last:
            break
    return current_look(store, config)


def _next_counting(
    store: OutcomeStore, now: int, row: ModeRow, state: dict[str, str], config: MonitorConfig
) -> tuple[Counting | None, bool]:
    """What a look is to write next, None for nothing, and whether nothing is left after it."""
    expected = {name: state.get(name) for name in (MODE, COMPARISON)}
    since = max(row.since // 60 + 1, now // 60 - config.health_minutes)
    if fault := Health(store.health(since)).fault(config):
        off = row.changed(Mode.OFF, now, f"A guardrail is broken. {fault}")
        return Counting(expected=expected, state={MODE: off.to_text()}), True
    if row.mode not in COMPARING:
        return None, True
    known = read_comparison(state.get(COMPARISON))
    if known is None or known.since != row.since:
        known = Comparison(row.since, config.planned_sessions)
    sessions = store.interleaved(row.since, now - config.settle_seconds, SESSIONS_AT_ONCE)
    is_last = len(sessions) < SESSIONS_AT_ONCE
    comparison, totals = _with(known, sessions, store)
    written = {COMPARISON: comparison.to_text()}
    if is_last and (changed := _changed(row, _decided(comparison, config), now)):
        written[MODE] = changed.to_text()
    if written.items() <= state.items():
        return None, is_last
    names = [session.session_id for session in sessions]
    return Counting(row.since, names, totals, expected, written), is_last


def _with(
    known: Comparison, sessions: Sequence[InterleavedSession], store: OutcomeStore
) -> tuple[Comparison, dict[str, ClusterTotal]]:
    """A comparison with some more searches, and the new totals of their clusters."""
    clicks = np.array([session[2:] for session in sessions], np.int64).reshape(-1, 2)
    added: defaultdict[str, float] = defaultdict(float)
    counts: defaultdict[str, int] = defaultdict(int)
    for session, outcome in zip(sessions, outcomes(*clicks.T).tolist(), strict=True):
        added[session.cluster] += outcome
        counts[session.cluster] += 1
    before = store.cluster_totals(known.since, counts)
    old = [before.get(name, ClusterTotal()) for name in counts]
    new = [
        ClusterTotal(total.n_sessions + counts[name], total.outcome + added[name])
        for name, total in zip(counts, old, strict=True)
    ]
    moved = replace(known, tally=known.tally.moved(old, new))
    return moved, dict(zip(counts, new, strict=True))


def _decided(comparison: Comparison, config: MonitorConfig) -> Decision:
    return decide(comparison.tally, planned=comparison.planned, confidence=config.confidence)


def _changed(row: ModeRow, decision: Decision, now: int) -> ModeRow | None:
    """The mode after a decision; None where it stays."""
    if decision.word == OFF or (row.mode is Mode.INTERLEAVE and decision.word == UNDECIDED):
        return row.changed(Mode.OFF, now, decision.why)
    if row.mode is Mode.INTERLEAVE and decision.word == ON:
        return row.changed(Mode.ON, now, decision.why)
    return None
