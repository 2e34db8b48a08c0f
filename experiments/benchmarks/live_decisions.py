"""Part ``live_decisions``: how often interleaving decides wrongly, where the truth is planted.

Simulated users search and click under position bias; the shipped monitor looks after every tick,
counts by the shipped draft, and decides by the shipped rule, with the number of sessions that the
shipped plan gives for the planted gain. Wrong is ``on`` where the adjusted ranking is equal or
worse, ``off`` by a loss where it is better; ``undecided`` is the end of the plan without either.
"""

import sys
from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from itertools import pairwise
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from adjuster.live.monitoring.decision import GO_ON, OFF, ON, UNDECIDED
from adjuster.live.monitoring.modes import MODE, Mode, ModeRow
from adjuster.live.monitoring.monitor import look
from adjuster.live.monitoring.monitor_config import MonitorConfig
from adjuster.live.monitoring.plan import plan_interleaving
from adjuster.live.storage.outcome_store import ClusterTotal, Counting, InterleavedSession
from experiments.benchmarks.calibration import largest_share
from experiments.benchmarks.live_traffic import (
    clicked_share,
    interleaved_clicks,
    make_visits,
    make_world,
)
from experiments.benchmarks.parts import Measured
from experiments.common.wording import grid, plain

KINDS = ("better", "equal", "worse")
DECAYS = (0.0, 0.5, 1.0, 1.5)
GAIN = 0.03
N_RUNS = 50
N_TICKS = 50
"""Looks of a plan."""

WORDS = (ON, OFF, UNDECIDED)
HEAD = ("kind", "decay", "runs", *WORDS, "wrong", "at most", "planned", "sessions")


class Run(NamedTuple):
    """What came of one comparison.

    Args:
        kind: One of `KINDS`.
        decay: Position bias.
        word: ``on``, ``off`` or ``undecided``.
        n_planned: Sessions that were planned.
        n_sessions: Sessions until it was decided.
    """

    kind: str
    decay: float
    word: str
    n_planned: int
    n_sessions: int

    @property
    def is_wrong(self) -> bool:
        """Whether it was turned on though not better, or off as worse though better."""
        return self.word == (OFF if self.kind == "better" else ON)


class MemoryStore:
    """The monitor's part of a store, in memory: what searches come when is for the caller."""

    def __init__(self) -> None:
        self.waiting: list[InterleavedSession] = []
        self.totals: dict[str, ClusterTotal] = {}
        self.named: dict[str, str] = {}

    def interleaved(self, since: int, until: int, limit: int) -> list[InterleavedSession]:
        """See `OutcomeStore.interleaved`; all that wait have come by now."""
        return self.waiting[:limit]

    def cluster_totals(self, since: int, clusters: Collection[str]) -> dict[str, ClusterTotal]:
        """See `OutcomeStore.cluster_totals`; there is one comparison."""
        return {name: self.totals[name] for name in clusters if name in self.totals}

    def count(self, counting: Counting) -> bool:
        """See `OutcomeStore.count`; nobody else is there."""
        del self.waiting[: len(counting.session_ids)]
        self.totals |= counting.totals
        self.named |= counting.state
        return True

    def states(self, names: Collection[str]) -> dict[str, str]:
        """See `OutcomeStore.states`."""
        return {name: self.named[name] for name in names if name in self.named}

    def add_health(self, minute: int, sums: Mapping[str, float]) -> None:
        """See `OutcomeStore.add_health`; searches that are not made are all well."""

    def health(self, since: int) -> dict[str, float]:
        """See `OutcomeStore.health`."""
        return {}


def measure(n_runs: int = N_RUNS) -> Measured:
    """Compare rankings of each kind under each position bias.

    Args:
        n_runs: Runs of each, >= 1.

    Returns:
        ``live_decisions.<kind>.<decay>.<figure>``, with ``all`` decays and with ``not_better``
        for equal and worse together.
    """
    cases = [(kind, decay) for kind in KINDS for decay in DECAYS]
    return measured(list(_told(cases, n_runs)))


def _told(cases: Sequence[tuple[str, float]], n_runs: int) -> Iterator[Run]:
    for number, (kind, decay) in enumerate(cases, start=1):
        for run in range(n_runs):
            yield compare(kind, decay, seed=[number, run])
        done = f"{number} of {len(cases)}: {kind}, decay {decay:g}"
        print(done, file=sys.stderr, flush=True)


def compare(kind: str, decay: float, *, seed: Sequence[int]) -> Run:
    """One comparison, from the first tick to a decision or the end of the plan.

    Args:
        kind: One of `KINDS`.
        decay: Position bias, >= 0.
        seed: Of the world and its traffic.
    """
    rng = np.random.default_rng(seed)
    world = make_world(kind, GAIN, rng)
    planned = plan_interleaving(GAIN, clicked_share(world, decay), 1).sessions
    visits = make_visits(planned, rng)
    store, config = MemoryStore(), MonitorConfig(planned_sessions=planned, settle_seconds=0)
    store.named[MODE] = ModeRow(Mode.INTERLEAVE, 0, "Benchmark.").to_text()
    word, n_sessions = GO_ON, 0
    ends = np.linspace(0, planned, N_TICKS + 1).astype(np.int64)
    for tick, (first, last) in enumerate(pairwise(ends.tolist()), start=1):
        clicks = interleaved_clicks(world, visits.query[first:last], decay, rng)
        store.waiting += _sessions(first, visits.user[first:last], *clicks)
        seen = look(store, 60 * tick, config)
        assert seen.decision is not None
        word, n_sessions = seen.decision.word, last
        if word != GO_ON:
            break
    return Run(kind, decay, word, planned, n_sessions)


def _sessions(
    first: int,
    user: NDArray[np.int64],
    adjusted: NDArray[np.int64],
    originals: NDArray[np.int64],
) -> Iterator[InterleavedSession]:
    rows = zip(user.tolist(), adjusted.tolist(), originals.tolist(), strict=True)
    for number, (who, *clicks) in enumerate(rows, start=first):
        yield InterleavedSession(str(number), f"user {who}", *clicks)


def measured(runs: Sequence[Run]) -> Measured:
    """Figures and table of some runs.

    Args:
        runs: At least one of each kind.
    """
    groups: dict[tuple[str, str], list[Run]] = {}
    for run in runs:
        groups.setdefault((run.kind, f"{run.decay:g}"), []).append(run)
    for kind in KINDS:
        groups[kind, "all"] = [run for run in runs if run.kind == kind]
    groups["not better", "all"] = [run for run in runs if run.kind != "better"]
    counts = {name: count(group) for name, group in groups.items()}
    figures = {
        f"live_decisions.{kind.replace(' ', '_')}.{decay.replace('.', '_')}.{name}": value
        for (kind, decay), found in counts.items()
        for name, value in found.items()
    }
    rows = [(*name, *map(_cell, found.values())) for name, found in counts.items()]
    return Measured(figures, "\n".join(grid([HEAD, *rows])))


def count(runs: Sequence[Run]) -> dict[str, float]:
    """What was decided: each word's count, the wrong ones with their exact bound, sessions.

    Args:
        runs: At least one.
    """
    words = Counter(run.word for run in runs)
    wrong = sum(run.is_wrong for run in runs)
    return {
        "runs": len(runs),
        **{word: words[word] for word in WORDS},
        "wrong": wrong,
        "wrong_at_most": largest_share(wrong, len(runs)),
        "planned_median": int(np.median([run.n_planned for run in runs])),
        "sessions_median": int(np.median([run.n_sessions for run in runs])),
    }


def _cell(value: float) -> str:
    return plain(value) if isinstance(value, float) else f"{value:,}"
